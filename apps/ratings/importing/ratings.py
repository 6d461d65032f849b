"""A stream of ratings into the table, batch by batch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import ensure_imported_users
from apps.catalog.services import count_ratings
from apps.core.bulk import insert_rows, time_stamps, update_rows
from apps.core.importing.batches import batches
from apps.core.importing.counts import Upserted
from apps.ratings.importing.people import username
from apps.ratings.importing.records import RatingLine
from apps.ratings.models import Rating
from apps.ratings.services import rank

BATCH = 100_000
_USERS_AT_ONCE = 1000

Said = tuple[float, int]
"""Stars and the time in seconds."""
Key = tuple[int, int]
"""A person and a film of ours."""


@dataclass
class RatingCounts:
    """``duplicates`` are lines about a person and film that another line of the file overruled."""

    people: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0

    @property
    def upserted(self) -> Upserted:
        return Upserted(self.new, self.updated, self.unchanged)


class _Stored(NamedTuple):
    pk: int
    value: float | None
    changed_at: datetime
    updated_at: datetime


@dataclass
class _Import:
    """One file under way; ``at`` marks the rows it writes."""

    source: str
    movie_ids: Mapping[int, int]
    at: datetime
    counts: RatingCounts = field(default_factory=RatingCounts)


def load_ratings(source: str, lines: Iterable[RatingLine], *, movie_ids: Mapping[int, int]) -> RatingCounts:
    """Loads all lines. Of two about a film by a person the later time wins, as ``record_preference``
    decides.

    Each batch is a transaction that counts on its films, too: what a killed run did stands, and the
    next one finds it unchanged. Memory is bounded by the batch and by the number of films.
    """
    state = _Import(source, movie_ids, timezone.now())
    for batch in batches(lines, BATCH):
        _load_batch(state, batch)
    return state.counts


@transaction.atomic
def _load_batch(state: _Import, batch: list[RatingLine]) -> None:
    said = _latest(state, batch)
    names = {person: username(state.source, person) for person in {person for person, _ in said}}
    user_ids, made = ensure_imported_users(usernames=names.values())
    state.counts.people += made
    wanted = {(user_ids[names[person]], movie_id): value for (person, movie_id), value in said.items()}
    stored = {} if made == len(user_ids) else _stored(wanted, user_ids.values())
    # What the films' sums and numbers have to change by.
    deltas: dict[int, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    _insert(state, {key: value for key, value in wanted.items() if key not in stored}, deltas)
    _update(state, wanted, stored, deltas)
    # Last: from here on viewers who rate the same films wait for the end of the batch.
    count_ratings(deltas={movie_id: delta for movie_id, delta in deltas.items() if delta != (0.0, 0)})


def _latest(state: _Import, batch: list[RatingLine]) -> dict[Key, Said]:
    """What each person of the source said last of each film of ours."""
    latest: dict[Key, Said] = {}
    for line in batch:
        key = (line.person, state.movie_ids[line.film])
        before = latest.get(key)
        if before is None:
            latest[key] = (line.stars, line.at)
            continue
        state.counts.duplicates += 1
        latest[key] = max(before, (line.stars, line.at), key=lambda said: (said[1], said[0]))
    return latest


def _stored(wanted: Mapping[Key, Said], user_ids: Iterable[int]) -> dict[Key, _Stored]:
    """The rows that are there of what a batch is about."""
    stored = {}
    ids = sorted(user_ids)
    for start in range(0, len(ids), _USERS_AT_ONCE):
        rows = Rating.objects.filter(user_id__in=ids[start : start + _USERS_AT_ONCE]).order_by()
        for *key, pk, value, changed_at, updated_at in rows.values_list(
            "user_id", "movie_id", "pk", "value", "changed_at", "updated_at"
        ).iterator(chunk_size=5000):
            if (key[0], key[1]) in wanted:
                stored[key[0], key[1]] = _Stored(pk, value, changed_at, updated_at)
    return stored


def _insert(state: _Import, new: Mapping[Key, Said], deltas: dict[int, tuple[float, int]]) -> None:
    stamp = time_stamps()
    now = stamp(state.at)
    for (_, movie_id), (stars, _) in new.items():
        stars_before, number = deltas[movie_id]
        deltas[movie_id] = (stars_before + stars, number + 1)
    insert_rows(
        Rating._meta.db_table,
        ("user_id", "movie_id", "value", "changed_at", "updated_at"),
        (
            (user_id, movie_id, stars, stamp(datetime.fromtimestamp(at, UTC)), now)
            for (user_id, movie_id), (stars, at) in new.items()
        ),
    )
    state.counts.new += len(new)


def _update(
    state: _Import,
    wanted: Mapping[Key, Said],
    stored: Mapping[Key, _Stored],
    deltas: dict[int, tuple[float, int]],
) -> None:
    stamp = time_stamps()
    now = stamp(state.at)
    changed = []
    for key in _overruled(state, wanted, stored):
        row, (stars, seconds) = stored[key], wanted[key]
        before, number = deltas[key[1]]
        deltas[key[1]] = (before + stars - (row.value or 0.0), number + (row.value is None))
        changed.append((row.pk, stars, stamp(datetime.fromtimestamp(seconds, UTC)), now))
    update_rows(Rating, ("value", "changed_at", "updated_at"), changed)


def _overruled(state: _Import, wanted: Mapping[Key, Said], stored: Mapping[Key, _Stored]) -> Iterator[Key]:
    """Those stored that the file knows better; all are counted."""
    for key, row in stored.items():
        stars, seconds = wanted[key]
        # A row of an earlier batch of this very file.
        is_duplicate = row.updated_at == state.at
        state.counts.duplicates += is_duplicate
        if (row.changed_at.timestamp(), rank(row.value)) >= (seconds, stars):
            state.counts.unchanged += not is_duplicate
            continue
        state.counts.updated += not is_duplicate
        yield key
