"""Changing a viewer's lasting preferences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.catalog.services import count_ratings
from apps.core.errors import InvalidInput
from apps.ratings.models import (
    Dismissal,
    Favorite,
    Preference,
    Rating,
    RatingDeparture,
    Thumb,
    Unseen,
    WatchlistItem,
)
from apps.ratings.querysets import CLICK, DISMISSAL, FAVORITE, RATING, THUMB, WATCHLIST

_LEARNED_FROM = frozenset({RATING, THUMB, FAVORITE, WATCHLIST, DISMISSAL, CLICK})
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
    "unseen": _Act(Unseen, "is_active", True),
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


@transaction.atomic
def begin_ratings(*, ratings: Iterable[tuple[int, int, float]], at: datetime) -> None:
    """Ratings (person, film, stars) of people who have none yet, as ``record_preference`` would leave them.

    Raises ``IntegrityError`` for a second rating of a film by somebody.
    """
    rows = [Rating(user_id=user, movie_id=film, value=stars, changed_at=at) for user, film, stars in ratings]
    Rating.objects.bulk_create(rows, batch_size=1000)
    deltas: dict[int, tuple[float, int]] = {}
    for row in rows:
        stars, number = deltas.get(row.movie_id, (0.0, 0))
        deltas[row.movie_id] = (stars + (row.value or 0.0), number + 1)
    # Last: from here on whoever rates the same films waits.
    count_ratings(deltas=deltas)


@transaction.atomic
def erase_preferences(*, model: type[Preference], user_id: int) -> None:
    """Deletes a person's rows of one kind, tombstones too; films stop counting their ratings."""
    rows = _locked(model, user_id)
    _delete(model, rows)
    if rows:
        note_departures(kind=model.KIND, user_ids=[user_id], is_erasure=True)


@transaction.atomic
def merge_preferences(*, model: type[Preference], from_id: int, to_id: int) -> None:
    """Hands a guest's rows of one kind to an account. A film that the account has a row about, be
    it a tombstone, keeps that row, and the guest's is deleted.
    """
    guests = _locked(model, from_id)
    ours = model._default_manager.filter(user_id=to_id, movie_id__in=[row.movie_id for row in guests])
    taken = set(ours.values_list("movie_id", flat=True))
    for row in guests:
        if row.movie_id not in taken and not _hand_over(model, row, to_id):
            taken.add(row.movie_id)
    _delete(model, [row for row in guests if row.movie_id in taken])
    if guests:
        note_departures(kind=model.KIND, user_ids=[from_id, to_id])


def note_departures(*, kind: str, user_ids: Iterable[int], is_erasure: bool = False) -> None:
    """Remembers whose rows of one kind went, or changed hands, without a tombstone: a preference, or
    ``CLICK`` of the log. Only of what training may keep a copy of.
    """
    if kind in _LEARNED_FROM:
        RatingDeparture.objects.bulk_create(
            RatingDeparture(user_id=user, kind=kind, is_erasure=is_erasure) for user in sorted(set(user_ids))
        )


def forget_departures(*, before: datetime) -> int:
    """Removes those of an earlier time; how many they were."""
    return RatingDeparture.objects.filter(at__lt=before).delete()[0]


def count_change(*, movie_id: int, before: float | None, after: float | None) -> None:
    """Tells the film that one of its ratings went from ``before`` to ``after``; None is no rating."""
    stars = (after or 0.0) - (before or 0.0)
    number = (after is not None) - (before is not None)
    if stars or number:
        count_ratings(deltas={movie_id: (stars, number)})


def rank(state: float | bool | None) -> float:
    """What decides between two acts at the same moment."""
    return -2.0 if state is None else float(state)


def _locked(model: type[Preference], user_id: int) -> list[Any]:
    rows = model._default_manager.filter(user_id=user_id).order_by("movie_id")
    return list(rows.select_for_update(no_key=True))


def _hand_over(model: type[Preference], row: Any, to_id: int) -> bool:
    """False when the account got a row about the film in this moment."""
    try:
        with transaction.atomic():
            model._default_manager.filter(pk=row.pk).update(user_id=to_id)
    except IntegrityError:
        return False
    return True


def _delete(model: type[Preference], rows: list[Any]) -> None:
    if model is Rating:
        standing = [row for row in rows if row.value is not None]
        count_ratings(deltas={row.movie_id: (-row.value, -1) for row in standing})
    model._default_manager.filter(pk__in=[row.pk for row in rows]).delete()


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
