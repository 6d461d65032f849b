"""What a viewer would be shown now, and what led to each film."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Surface
from apps.recommendations.reasons import led_by
from apps.recommendations.recording import Chosen, Decision
from apps.recommendations.services.recommending import decide, history_of
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
    if active is None or decision.degraded or not active.arms[chosen.algorithm].personal:
        return ()
    item = int(active.items.indices([chosen.film.movie_id])[0])
    stars = dict(decision.history)
    led = led_by(active, chosen.algorithm, item, history_of(active, decision.history))
    return tuple(
        Led(movie_id, titles.get(movie_id, f"film {movie_id}"), stars[movie_id], added)
        for movie_id, added in led[:N_LED]
    )


def _titles(movie_ids: Sequence[int]) -> dict[int, str]:
    return dict(Movie.objects.filter(pk__in=movie_ids).values_list("pk", "title"))
