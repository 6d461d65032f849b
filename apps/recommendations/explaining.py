"""What a viewer would be shown now, or was shown, and what led to each film."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.models import User
from apps.algorithms.reranking import Weighing
from apps.catalog.models import Movie
from apps.core.errors import Conflict
from apps.events.models import RecommendationEvent, Slate, SlateAssignment, Surface
from apps.events.packing import unpack_history
from apps.recommendations.decisions import BanditDecision, decision_of
from apps.recommendations.dossiers import shown_films
from apps.recommendations.reasons import led_by
from apps.recommendations.recording import Chosen, Decision
from apps.recommendations.replaying import engine_of, weigh
from apps.recommendations.services.drafting import history_of
from apps.recommendations.services.recommending import decide
from apps.recommendations.slates import SlateRequest
from apps.training.registry import Engine, engine

N_LED = 5


@dataclass(frozen=True)
class Led:
    """A film of the viewer's, its stars, and what it added to the score that the arm gave."""

    movie_id: int
    title: str
    stars: float
    contribution: float


@dataclass(frozen=True)
class ExplainedFilm:
    """``led`` is strongest first; empty where the arm does not look at the viewer."""

    position: int
    movie_id: int
    title: str
    algorithm: str
    score: float
    predicted_rating: float | None
    reason: str
    led: tuple[Led, ...]


@dataclass(frozen=True)
class Explanation:
    """``history`` is how many films of the viewer's the arms were told of."""

    user_id: int
    strategy: str
    model_version: str
    degraded: str
    history: int
    films: tuple[ExplainedFilm, ...]


@dataclass(frozen=True)
class ExplainedEvent:
    """A film that was shown; ``led`` as in ``ExplainedFilm``.

    ``owner`` is the arm that the slot was drawn for, and ``weighing`` what spoke for the film there; None
    where the version that chose it cannot be loaded.
    """

    event: RecommendationEvent
    led: tuple[Led, ...]
    owner: str
    weighing: Weighing | None


@dataclass(frozen=True)
class ExplainedSlate:
    """``model_version`` is the one that tells what led to each film: the one that made the list, or the live
    one where that cannot be loaded, and ``gone`` is the sentence why. Both are empty without a model.
    """

    slate: Slate
    model_version: str
    gone: str
    history: int
    films: tuple[ExplainedEvent, ...]
    decision: BanditDecision | None
    assignments: Sequence[SlateAssignment]

    @property
    def was_left_alone(self) -> bool:
        """Whether a bandit was to draw, and did not, since an arm of its knew nothing of the viewer."""
        return self.slate.strategy == "bandit" and self.decision is None and not self.slate.degraded

    @property
    def is_erased(self) -> bool:
        """Whether the viewer was erased, and with them the history that the list came from."""
        return self.slate.unit_key is None


def explain(viewer: User, n: int) -> Explanation:
    """Nothing is logged: nobody sees these films."""
    decision = decide(
        SlateRequest(viewer=viewer, unit_key=viewer.unit_key, surface=Surface.API, n=n, counted=False)
    )
    active = engine(decision.assignment.recipe)
    titles = _titles([movie_id for movie_id, _ in decision.history])
    return Explanation(
        user_id=viewer.pk,
        strategy=decision.label,
        model_version=decision.model_version,
        degraded=decision.degraded,
        history=len(decision.history),
        films=tuple(
            _explained(position, chosen, _led(active, chosen, decision, titles))
            for position, chosen in enumerate(decision.chosen, start=1)
        ),
    )


def explain_slate(slate: Slate) -> ExplainedSlate:
    """Why each film of a logged list was in its place, by the version that made the list and the history that
    is packed with it.
    """
    history = unpack_history(bytes(slate.history))
    active, gone = _engine_or_live(slate)
    titles = _titles([movie_id for movie_id, _ in history])
    events = shown_films([slate.pk])
    weighings = _weighings(slate, active, [event.movie_id for event in events])
    owners = [*slate.owners, *[event.algorithm for event in events[len(slate.owners) :]]]
    return ExplainedSlate(
        slate=slate,
        model_version=active.version if active else "",
        gone=gone,
        history=len(history),
        films=tuple(
            ExplainedEvent(
                event,
                _films_behind(active, event.algorithm, event.movie_id, history, titles),
                owner,
                weighing if owner == event.algorithm else None,
            )
            for event, owner, weighing in zip(events, owners, weighings, strict=False)
        ),
        decision=decision_of(slate),
        assignments=list(slate.assignments.order_by("experiment_key")),
    )


def _engine_or_live(slate: Slate) -> tuple[Engine | None, str]:
    """The version that made the list; else the live one, and why that one is not at hand."""
    if not slate.model_version:
        return engine(slate.recipe), ""
    try:
        return engine_of(slate), ""
    except Conflict as refusal:
        return engine(slate.recipe), refusal.detail


def _weighings(slate: Slate, active: Engine | None, movie_ids: Sequence[int]) -> Sequence[Weighing | None]:
    if active is None or active.version != slate.model_version:
        return [None] * len(movie_ids)
    return weigh(slate, active, movie_ids)


def _explained(position: int, chosen: Chosen, led: tuple[Led, ...]) -> ExplainedFilm:
    return ExplainedFilm(
        position=position,
        movie_id=chosen.film.movie_id,
        title=chosen.film.title,
        algorithm=chosen.algorithm,
        score=chosen.score,
        predicted_rating=chosen.predicted_rating,
        reason=chosen.reason.text,
        led=led,
    )


def _led(
    active: Engine | None, chosen: Chosen, decision: Decision, titles: dict[int, str]
) -> tuple[Led, ...]:
    if decision.degraded:
        return ()
    return _films_behind(active, chosen.algorithm, chosen.film.movie_id, decision.history, titles)


def _films_behind(
    active: Engine | None,
    algorithm: str,
    movie_id: int,
    history: Sequence[tuple[int, float]],
    titles: dict[int, str],
) -> tuple[Led, ...]:
    """The films of the history that did most for the film's score, the strongest first."""
    if active is None or algorithm not in active.arms or not active.arms[algorithm].personal:
        return ()
    item = int(active.items.indices([movie_id])[0])
    if item < 0 or not history:
        return ()
    stars = dict(history)
    led = led_by(active, algorithm, item, history_of(active, history))
    return tuple(
        Led(rated_id, titles.get(rated_id, f"film {rated_id}"), stars[rated_id], added)
        for rated_id, added in led[:N_LED]
    )


def _titles(movie_ids: Sequence[int]) -> dict[int, str]:
    return dict(Movie.objects.filter(pk__in=movie_ids).values_list("pk", "title"))
