"""A stream of ratings into the table, batch by batch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.services import ensure_imported_users
from apps.catalog.services import count_ratings
from apps.ratings.importing.checks import refusal
from apps.ratings.importing.records import RatingLine, Source
from apps.ratings.importing.rows import insert_rows
from apps.ratings.models import Rating
from apps.ratings.services import rank

BATCH = 50_000
# Any number that no other advisory lock of ours has.
_LOCK = 7_305_211

Said = tuple[float, int]
"""Stars and the time in seconds."""


@dataclass
class RatingCounts:
    """``duplicates`` are lines about a person and film that a later line of the file overruled."""

    people: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0


@dataclass
class _Import:
    """One file under way. ``deltas`` are what the films' sums and numbers have to change by."""

    source: Source
    movie_ids: Mapping[int, int]
    at: datetime
    counts: RatingCounts = field(default_factory=RatingCounts)
    deltas: dict[int, tuple[float, int]] = field(default_factory=lambda: defaultdict(lambda: (0.0, 0)))


@transaction.atomic
def load_ratings(
    source: Source, lines: Iterable[RatingLine], *, movie_ids: Mapping[int, int]
) -> RatingCounts:
    """Loads all lines or, if one is refused, none. Of two about a film by a person the later time
    wins, as ``record_preference`` decides.

    Memory is bounded by the batch and by the number of films. Two imports go one after the other;
    viewers' ratings go on meanwhile, since films are only touched at the end, by what to add.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    state = _Import(source, movie_ids, timezone.now())
    stream = iter(lines)
    while batch := list(islice(stream, BATCH)):
        _load_batch(state, batch)
    count_ratings(deltas=state.deltas)
    return state.counts


def _load_batch(state: _Import, batch: list[RatingLine]) -> None:
    said = _latest(state, batch)
    prefix = f"ml-{state.source.name}-"
    user_ids, made = ensure_imported_users(usernames={f"{prefix}{person}" for person, _ in said})
    state.counts.people += made
    wanted = {(user_ids[f"{prefix}{person}"], movie_id): value for (person, movie_id), value in said.items()}
    stored = {} if made == len(user_ids) else _stored(wanted, user_ids.values())
    _insert(state, {key: value for key, value in wanted.items() if key not in stored})
    _update(state, wanted, stored)


def _latest(state: _Import, batch: list[RatingLine]) -> dict[tuple[int, int], Said]:
    """What each person said last of each film, by person and our film id."""
    latest: dict[tuple[int, int], Said] = {}
    for line in batch:
        movie_id = state.movie_ids.get(line.film)
        if movie_id is None:
            expected = f"a movieId that {state.source.films_file} has"
            raise refusal(state.source.ratings_file, line.line, expected, str(line.film))
        key = (line.person, movie_id)
        before = latest.get(key)
        if before is None:
            latest[key] = (line.stars, line.at)
            continue
        state.counts.duplicates += 1
        latest[key] = max(before, (line.stars, line.at), key=lambda said: (said[1], said[0]))
    return latest


def _stored(wanted: Mapping[tuple[int, int], Said], user_ids: Iterable[int]) -> dict[tuple[int, int], Rating]:
    """The rows that are there of what a batch is about."""
    stored = {}
    ids = sorted(user_ids)
    for start in range(0, len(ids), 1000):
        for rating in Rating.objects.filter(user_id__in=ids[start : start + 1000]).iterator():
            if (rating.user_id, rating.movie_id) in wanted:
                stored[rating.user_id, rating.movie_id] = rating
    return stored


def _insert(state: _Import, new: Mapping[tuple[int, int], Said]) -> None:
    stamp = _stamp(state.at)
    for (_, movie_id), (stars, _) in new.items():
        stars_before, number = state.deltas[movie_id]
        state.deltas[movie_id] = (stars_before + stars, number + 1)
    insert_rows(
        Rating._meta.db_table,
        ("user_id", "movie_id", "value", "changed_at", "updated_at"),
        (
            (user_id, movie_id, stars, _stamp(datetime.fromtimestamp(at, UTC)), stamp)
            for (user_id, movie_id), (stars, at) in new.items()
        ),
    )
    state.counts.new += len(new)


def _update(
    state: _Import, wanted: Mapping[tuple[int, int], Said], stored: Mapping[tuple[int, int], Rating]
) -> None:
    changed = list(_overruled(state, wanted, stored))
    Rating.objects.bulk_update(changed, ["value", "changed_at", "updated_at"], batch_size=500)


def _overruled(
    state: _Import, wanted: Mapping[tuple[int, int], Said], stored: Mapping[tuple[int, int], Rating]
) -> Iterator[Rating]:
    """Stored ratings that the file knows better, changed in memory and counted."""
    for key, rating in stored.items():
        stars, seconds = wanted[key]
        at = datetime.fromtimestamp(seconds, UTC)
        # A row of an earlier batch of this very file.
        is_duplicate = rating.updated_at == state.at
        if (rating.changed_at, rank(rating.value)) >= (at, stars):
            state.counts.duplicates += is_duplicate
            state.counts.unchanged += not is_duplicate
            continue
        state.counts.duplicates += is_duplicate
        state.counts.updated += not is_duplicate
        stars_before, number = state.deltas[rating.movie_id]
        state.deltas[rating.movie_id] = (
            stars_before + stars - (rating.value or 0.0),
            number + (rating.value is None),
        )
        rating.value, rating.changed_at, rating.updated_at = stars, at, state.at
        yield rating


def _stamp(at: datetime) -> str:
    """As both databases take it; SQLite keeps UTC without saying so."""
    text = at.isoformat(sep=" ")
    return text if connection.vendor == "postgresql" else text.removesuffix("+00:00")
