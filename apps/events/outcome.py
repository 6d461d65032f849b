"""What became of an impression: a pure function of what the viewer said of it, in whatever order
it arrived. No Django here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """``pending`` until something settles it; ``ignored`` when the window closed on silence."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(outcome.value, outcome.value) for outcome in cls]


SUCCESS_FROM = 4.0
FAILURE_UP_TO = 2.0


@dataclass(frozen=True)
class Said:
    """One feedback."""

    occurred_at: datetime
    kind: str
    value: float | None
    client_id: str

    @property
    def key(self) -> tuple[datetime, str, float, str]:
        """Sorts the latest act last; all but the time only makes ties independent of arrival."""
        return (self.occurred_at, self.kind, self.value or 0.0, self.client_id)


@dataclass(frozen=True)
class Facts:
    """The columns of an impression that feedback sets. ``clicked_at`` is the first click's time."""

    clicked: bool = False
    clicked_at: datetime | None = None
    rated: bool = False
    rated_at: datetime | None = None
    rating_value: float | None = None
    added_to_watchlist: bool = False
    added_to_favorites: bool = False
    thumbs_up: bool = False
    thumbs_down: bool = False
    dismissed: bool = False


_SETS: dict[str, Callable[[Facts], Facts]] = {
    "favorite": lambda facts: replace(facts, added_to_favorites=True),
    "unfavorite": lambda facts: replace(facts, added_to_favorites=False),
    "watchlist": lambda facts: replace(facts, added_to_watchlist=True),
    "unwatchlist": lambda facts: replace(facts, added_to_watchlist=False),
    "thumbs_up": lambda facts: replace(facts, thumbs_up=True, thumbs_down=False),
    "thumbs_down": lambda facts: replace(facts, thumbs_up=False, thumbs_down=True),
    "thumbs_clear": lambda facts: replace(facts, thumbs_up=False, thumbs_down=False),
    "dismiss": lambda facts: replace(facts, dismissed=True),
    "undismiss": lambda facts: replace(facts, dismissed=False),
}


def settle(said: Iterable[Said]) -> Facts:
    """The facts after all that was said; any order of ``said`` gives the same facts."""
    facts = Facts()
    for one in sorted(said, key=lambda one: one.key):
        facts = _apply(facts, one)
    return facts


def _apply(facts: Facts, said: Said) -> Facts:
    if said.kind in {"click", "view"}:
        return facts if facts.clicked else replace(facts, clicked=True, clicked_at=said.occurred_at)
    if said.kind == "rate":
        return replace(facts, rated=True, rated_at=said.occurred_at, rating_value=said.value)
    if said.kind == "unrate":
        return replace(facts, rated=False, rated_at=None, rating_value=None)
    return _SETS[said.kind](facts)


def outcome_of(facts: Facts, *, expired: bool = False) -> Outcome:
    """Success: clicked, rated 4 or more, thumb up, favourite or watchlist, and nothing that says no.

    No is: rated 2 or less, thumb down, dismissed. ``expired`` closes silence as ``ignored``; a
    success or failure that is said later still counts.
    """
    rating = facts.rating_value
    if facts.thumbs_down or facts.dismissed or (rating is not None and rating <= FAILURE_UP_TO):
        return Outcome.FAILURE
    liked = rating is not None and rating >= SUCCESS_FROM
    if liked or facts.clicked or facts.thumbs_up or facts.added_to_favorites or facts.added_to_watchlist:
        return Outcome.SUCCESS
    return Outcome.IGNORED if expired else Outcome.PENDING
