"""Changing a viewer's lasting preferences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.catalog.services import count_ratings
from apps.core.errors import InvalidInput
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, WatchlistItem

STARS = frozenset(half / 2 for half in range(1, 11))


@dataclass(frozen=True)
class _Act:
    """The table and column that an act writes, and the state it leaves there; "rate" brings its own."""

    model: type[Preference]
    column: str
    state: int | bool | None = None


_ACTS: Mapping[str, _Act] = {
    "rate": _Act(Rating, "value"),
    "unrate": _Act(Rating, "value"),
    "favorite": _Act(Favorite, "is_active", True),
    "unfavorite": _Act(Favorite, "is_active", False),
    "watchlist": _Act(WatchlistItem, "is_active", True),
    "unwatchlist": _Act(WatchlistItem, "is_active", False),
    "dismiss": _Act(Dismissal, "is_active", True),
    "undismiss": _Act(Dismissal, "is_active", False),
    "thumbs_up": _Act(Thumb, "direction", 1),
    "thumbs_down": _Act(Thumb, "direction", -1),
    "thumbs_clear": _Act(Thumb, "direction", 0),
}


def set_rating(*, user: User, movie: Movie, value: float, at: datetime) -> bool:
    """Rates a film with 0.5 to 5 stars by halves; whether the state changed."""
    return record_preference(user_id=user.pk, movie_id=movie.pk, kind="rate", value=value, at=at)


def withdraw_rating(*, user: User, movie: Movie, at: datetime) -> bool:
    """Takes a rating back and leaves its tombstone; whether the state changed."""
    return record_preference(user_id=user.pk, movie_id=movie.pk, kind="unrate", value=None, at=at)


@transaction.atomic
def record_preference(*, user_id: int, movie_id: int, kind: str, value: float | None, at: datetime) -> bool:
    """Applies one act unless a later one is known already; whether the state changed.

    The latest act wins, and of two at the same moment the one with the greater state: more stars,
    up over cleared over down, standing over taken back. So any order of arrival, and any
    repetition, gives the same rows and the same counts of the film. Viewer and film must exist.
    """
    act = _ACTS.get(kind)
    if act is None:
        raise InvalidInput(f"There is no preference {kind!r}; there are: {', '.join(_ACTS)}")
    if kind == "rate" and value not in STARS:
        raise InvalidInput.of("/rating", "A rating is 0.5 to 5 stars in steps of a half.")
    state = value if kind == "rate" else act.state
    before, after = _write(act, state, user_id=user_id, movie_id=movie_id, at=at)
    if act.model is Rating:
        count_change(movie_id=movie_id, before=before, after=after)
    return bool(before != after)


def count_change(*, movie_id: int, before: float | None, after: float | None) -> None:
    """Tells the film that one of its ratings went from ``before`` to ``after``; None is no rating."""
    stars = (after or 0.0) - (before or 0.0)
    number = (after is not None) - (before is not None)
    if stars or number:
        count_ratings(deltas={movie_id: (stars, number)})


def rank(state: float | bool | None) -> float:
    """What decides between two acts at the same moment."""
    return -2.0 if state is None else float(state)


def _write(act: _Act, state: Any, *, user_id: int, movie_id: int, at: datetime) -> tuple[Any, Any]:
    """The state before and after; a row that was not there counts as one without the preference.

    The row is locked, or made under its unique constraint, before it is compared.
    """
    rows = act.model._default_manager.select_for_update(no_key=True)
    row: Any
    row, is_new = rows.get_or_create(
        user_id=user_id, movie_id=movie_id, defaults={act.column: state, "changed_at": at}
    )
    if is_new:
        return (None if act.model is Rating else 0), state
    before = getattr(row, act.column)
    if (row.changed_at, rank(before)) >= (at, rank(state)):
        return before, before
    setattr(row, act.column, state)
    row.changed_at = at
    row.save(update_fields=[act.column, "changed_at", "updated_at"])
    return before, state
