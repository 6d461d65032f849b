"""What goes into ``recommend()`` and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.accounts.models import User
from apps.algorithms.context import Context
from apps.events.insertion import Served
from apps.events.models import Surface
from apps.recommendations.paths import Shared

DEFAULT_LENGTH = 20
MAX_LENGTH = 100


@dataclass(frozen=True)
class SlateRequest:
    """One wish for a list of films.

    ``unit_key`` None is a visitor without a unit (a first hit, a crawler): nothing is logged, and
    without an ``anchor`` or an arm of the list's own the films are the popular ones.
    ``counted`` False keeps the slate out of experiments, bandit and alerts. Whatever of
    ``algorithm``, ``diversity``, ``genre``, ``only``, ``exclude`` and ``use_bandit`` is given overrides the
    viewer's strategy and is recorded. ``only`` are the films that the list is about, and like ``genre``
    it leaves all others out. ``skip`` are films that the same page shows already: kept out, but no
    override. ``timezone`` None is the site's; ``language`` is the viewer's, such as ``en``, empty where
    nothing says it. ``anchor`` is a film whose likes are wanted: it stands in for the viewer's history, and
    of one that no model knows there is no list.
    """

    viewer: User | None
    unit_key: UUID | None
    surface: Surface
    n: int = DEFAULT_LENGTH
    counted: bool = True
    algorithm: str | None = None
    diversity: float | None = None
    genre: str | None = None
    only: frozenset[int] | None = None
    exclude: tuple[int, ...] = ()
    use_bandit: bool | None = None
    skip: tuple[int, ...] = ()
    timezone: ZoneInfo | None = None
    language: str = ""
    anchor: int | None = None

    @property
    def overridden_by(self) -> str:
        """The names of the overrides, comma-separated; empty when the viewer gets their own list."""
        given = {
            "algorithm": self.algorithm is not None,
            "diversity": self.diversity is not None,
            "exclude": bool(self.exclude),
            "genre": self.genre is not None,
            "only": self.only is not None,
            "use_bandit": self.use_bandit is not None,
        }
        return ",".join(name for name, is_given in given.items() if is_given)


class Reason(NamedTuple):
    """Why a film is in its slot. ``movie_ids`` are films of that viewer's, strongest first.

    ``path`` is what the film has in common with the first of them.
    """

    kind: str
    text: str
    movie_ids: tuple[int, ...] = ()
    genre: str | None = None
    path: Shared | None = None

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": self.kind, "movie_ids": list(self.movie_ids), "text": self.text}
        if self.genre:
            body["genre"] = self.genre
        if self.path:
            body["path"] = self.path.as_json()
        return body


class Slot(NamedTuple):
    """One film in its place; ``event_id`` is None when nothing was logged.

    ``confidence`` is the posterior mean of the arm in this context, None for fixed strategies.
    ``propensity`` is None where the slot's owner passed and ``algorithm`` filled in.
    ``predicted_rating`` is in stars; None when no model knows the film.
    """

    event_id: int | None
    movie_id: int
    title: str
    position: int
    score: float
    algorithm: str
    confidence: float | None
    propensity: float | None
    predicted_rating: float | None
    reason: Reason


@dataclass(frozen=True)
class ServedSlate:
    """A list of films as it was shown. ``recommendation_id`` is None when it was not logged.

    ``strategy`` is the policy's name, or the one arm of a fixed one; ``policy`` its name in any case.
    ``degraded`` says why ``popular`` was served instead of the strategy; None when it was not.
    ``is_personal`` is False where the films are those that everybody gets of whom nothing is known.
    """

    recommendation_id: UUID | None
    user_id: int | None
    surface: str
    strategy: str
    policy: str
    recipe: str
    model_version: str
    policy_version: int
    experiments: tuple[Served, ...]
    overridden_by: str
    degraded: str | None
    is_personal: bool
    context: Context
    slots: tuple[Slot, ...]

    def as_json(self) -> dict[str, Any]:
        """The slate of the API."""
        strategic = next((one for one in self.experiments if one.layer == "strategy"), None)
        return {
            "recommendation_id": str(self.recommendation_id) if self.recommendation_id else None,
            "user_id": self.user_id,
            "surface": self.surface,
            "strategy": self.strategy,
            "recipe": self.recipe,
            "model_version": self.model_version or None,
            "policy_version": self.policy_version,
            "experiment": (
                {"key": strategic.experiment_key, "variant": strategic.variant} if strategic else None
            ),
            "experiments": [_experiment(one) for one in self.experiments],
            "overridden_by": self.overridden_by or None,
            "degraded": self.degraded,
            "context": self.context.as_dict(),
            "recommendations": [_slot(slot) for slot in self.slots],
        }


def _experiment(served: Served) -> Mapping[str, str]:
    return {"key": served.experiment_key, "layer": served.layer, "variant": served.variant}


def _slot(slot: Slot) -> Mapping[str, Any]:
    return {
        "event_id": slot.event_id,
        "movie_id": slot.movie_id,
        "title": slot.title,
        "position": slot.position,
        "score": slot.score,
        "algorithm": slot.algorithm,
        "confidence": slot.confidence,
        "propensity": slot.propensity,
        "predicted_rating": slot.predicted_rating,
        "reason": slot.reason.as_json(),
    }
