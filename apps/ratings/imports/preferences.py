"""A viewer's preferences of every kind in one form, to compare, write and restore."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.bulk import insert_new_rows, time_stamp, update_rows
from apps.ratings.imports.conflicts import Said
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, Unseen, WatchlistItem
from apps.ratings.querysets import DISMISSAL, FAVORITE, RATING, THUMB, UNSEEN, WATCHLIST

BATCH = 500
New = tuple[int, float | None, datetime]
"""A key, the state that it gets, and when that was said."""


class Overtaken(Exception):
    """The viewer said something of one of the films in this very moment."""


@dataclass(frozen=True)
class Store:
    """The table of one kind and the column that holds its state."""

    model: type[Preference]
    column: str
    cast: type[bool] | type[int] | type[float]

    def rows(self, user_id: int, movie_ids: Iterable[int]) -> Iterator[Any]:
        """The viewer's rows about the films, locked until the transaction ends, in the films' order."""
        ordered = sorted(movie_ids)
        for start in range(0, len(ordered), BATCH):
            rows = self.model._default_manager.filter(user_id=user_id)
            some = rows.filter(movie_id__in=ordered[start : start + BATCH]).order_by("movie_id")
            yield from some.select_for_update(no_key=True)

    def said(self, row: Any) -> Said:
        return _said(getattr(row, self.column), row.changed_at)

    def own(self, user_id: int, movie_ids: Sequence[int]) -> dict[int, Said]:
        """What the viewer said of the films, by film. Not locked."""
        rows = self.model._default_manager.filter(user_id=user_id)
        found = {}
        for start in range(0, len(movie_ids), BATCH):
            some = rows.filter(movie_id__in=movie_ids[start : start + BATCH])
            for movie_id, state, at in some.values_list("movie_id", self.column, "changed_at"):
                found[movie_id] = _said(state, at)
        return found

    def insert(self, user_id: int, news: Sequence[New], *, now: datetime) -> None:
        """Writes rows that were not there; ``Overtaken`` if one is by now."""
        columns = ("user_id", "movie_id", self.column, "changed_at", "updated_at")
        stamp = time_stamp(now)
        rows = (
            (user_id, movie_id, self._value(state), time_stamp(at), stamp) for movie_id, state, at in news
        )
        if insert_new_rows(self.model._meta.db_table, columns, rows) != len(news):
            raise Overtaken

    def update(self, news: Iterable[New], *, now: datetime) -> None:
        """Gives rows another state and time, by the rows' own keys."""
        stamp = time_stamp(now)
        rows = ((key, self._value(state), time_stamp(at), stamp) for key, state, at in news)
        update_rows(self.model, (self.column, "changed_at", "updated_at"), rows)

    def _value(self, state: float | None) -> float | int | bool | None:
        """As the column takes it."""
        return None if state is None else self.cast(state)


def _said(state: float | None, at: datetime) -> Said:
    return Said(None if state is None else float(state), at)


STORES: Mapping[str, Store] = {
    RATING: Store(Rating, "value", float),
    FAVORITE: Store(Favorite, "is_active", bool),
    WATCHLIST: Store(WatchlistItem, "is_active", bool),
    THUMB: Store(Thumb, "direction", int),
    DISMISSAL: Store(Dismissal, "is_active", bool),
    UNSEEN: Store(Unseen, "is_active", bool),
}
