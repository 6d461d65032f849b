"""Lists of an experiment in the log, and what was said of them, as tests write them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import UUID, uuid4

from django.utils import timezone

from apps.core.identifiers import first_uuid7
from apps.events.models import Feedback, RecommendationEvent, Slate, SlateAssignment
from apps.experiments.models import Experiment
from tests.factories import make_movie, make_user

_numbers = count(1)


def show(
    experiment: Experiment,
    variant: str,
    *,
    unit: UUID | None = None,
    at: datetime | None = None,
    n: int = 3,
    clicked: Sequence[int] = (),
    counted: bool = True,
    phase: int = 1,
    segment: str = "regular",
    latency_ms: float = 10.0,
    degraded: str = "",
) -> Slate:
    """One list of ``n`` films; ``clicked`` are positions from 1."""
    at = at or timezone.now()
    slate = Slate.objects.create(
        id=UUID(int=first_uuid7(at).int + next(_numbers)),
        unit_key=unit or uuid4(),
        surface="api",
        strategy="hybrid",
        recipe="standard",
        policy_version=1,
        context={"user_segment": segment},
        counted=True,
        degraded=degraded,
        n_requested=n,
        n_returned=n,
        novelty=2.0,
        n_genres=2,
        latency_ms=latency_ms,
        seed=1,
        created_at=at,
    )
    SlateAssignment.objects.create(
        slate=slate, experiment_key=experiment.key, phase=phase, variant=variant, counted=counted
    )
    movie = make_movie()
    events = [
        RecommendationEvent.objects.create(
            slate=slate,
            movie=movie,
            algorithm="hybrid",
            recommendation_score=1.0,
            position=position,
            is_long_tail=position == 1,
            created_at=at,
        )
        for position in range(1, n + 1)
    ]
    for position in clicked:
        click(events[position - 1], at=at)
    return slate


def click(event: RecommendationEvent, *, at: datetime | None = None, stars: float | None = None) -> None:
    """A click, and stars if given, said and settled."""
    at = at or timezone.now()
    values: dict[str, object] = {"clicked": True, "clicked_at": at, "outcome": "success"}
    if stars is not None:
        values |= {"rated": True, "rated_at": at, "rating_value": stars}
    RecommendationEvent.objects.filter(pk=event.pk).update(**values)
    Feedback.objects.create(
        unit_key=event.slate.unit_key or uuid4(),
        client_id=f"said-{next(_numbers)}",
        user=make_user(),
        movie=event.movie,
        kind="click",
        event=event,
        occurred_at=at,
        received_at=timezone.now(),
    )
