"""What was said since a version was fitted: the database's rows of that time, and not the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from django.db.models import F, QuerySet
from django.utils import timezone
from scipy import sparse

from apps.algorithms.deltas import Delta, delta_of
from apps.algorithms.types import Bool, Float32, Float64, Int64, Interactions, ItemFeatures, ItemIndex
from apps.catalog.models import Movie
from apps.ratings.models import Rating, RatingDeparture
from apps.training.columns import CHUNK_ROWS, Epoch, read_columns
from apps.training.corpus import Corpus
from apps.training.datasets import available_movies, row_ends
from apps.training.encoding import Warn, log_warning
from apps.training.features import build_features

OVERLAP = timedelta(seconds=60)
"""A row bears the time at which it was written and is seen when its transaction ends, which may be later."""
_PEOPLE_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class CaughtUp:
    """``delta`` leads from the corpus before to ``corpus``; ``n_read`` rows of ratings were read for it, of
    which ``n_changed`` told anything new."""

    corpus: Corpus
    delta: Delta
    n_read: int
    n_changed: int

    @property
    def is_news(self) -> bool:
        return self.n_changed > 0 or not self.delta.is_of_same_films or len(self.delta.described) > 0


def catch_up(before: Corpus, warn: Warn = log_warning) -> CaughtUp:
    """``before`` and what came after it, as a reading of all rows would give it.

    Reads what was written since, and 60 seconds more, compared by person and film; all rows of people of
    whom ratings went without a tombstone; the films' features only where the catalogue says that a film
    was changed, came or went.
    """
    read_at = timezone.now()
    since = before.read_at - OVERLAP
    heard = _heard_since(since, before)
    ledger = _Ledger.of(before, heard)
    told = ledger.news(heard)
    keys, values, rated_at = ledger.after(told)
    items, ratings, people = _arrange(ledger, keys, values)
    features, changed = _features(before, items, since, warn)
    after = Corpus(
        Interactions(ratings, rated_at, items, features), people, read_at, before.data, before.stored
    )
    pairs = _pairs(before.people, people, np.unique(told.keys // len(ledger.movies)), ledger.users)
    delta = delta_of(before.interactions, after.interactions, people=pairs, described=changed)
    return CaughtUp(after, delta, heard.n_read, len(told.keys))


@dataclass(frozen=True, eq=False)
class _Heard:
    """Rows of ratings, one a person and film; ``values`` is NaN for one that is not there any more."""

    users: Int64
    movies: Int64
    values: Float32
    rated_at: Float64
    n_read: int


@dataclass(frozen=True, eq=False)
class _News:
    """What differs from the corpus, ``keys`` ascending; NaN where a rating went."""

    keys: Int64
    values: Float32
    rated_at: Float64


@dataclass(frozen=True, eq=False)
class _Ledger:
    """The ratings of a corpus by one number each: the person's place in ``users`` times the number of
    ``movies``, and the film's place there."""

    users: Int64
    movies: Int64
    keys: Int64
    values: Float32
    rated_at: Float64

    @classmethod
    def of(cls, before: Corpus, heard: _Heard) -> "_Ledger":
        known = before.interactions
        users = np.union1d(before.people, heard.users)
        movies = np.union1d(known.items.ids, heard.movies)
        rows = np.searchsorted(users, before.people) * len(movies)
        columns = np.searchsorted(movies, known.items.ids)
        keys = np.repeat(rows, np.diff(known.ratings.indptr)) + columns[known.ratings.indices]
        return cls(users, movies, keys, known.ratings.data, known.rated_at)

    @cached_property
    def n(self) -> int:
        return len(self.keys)

    def news(self, heard: _Heard) -> _News:
        """Those of ``heard`` that say something else."""
        keys = np.searchsorted(self.users, heard.users) * len(self.movies)
        keys += np.searchsorted(self.movies, heard.movies)
        order = np.argsort(keys, kind="stable")
        keys, values, rated_at = keys[order], heard.values[order], heard.rated_at[order]
        spots, is_held = self._find(keys)
        is_same = np.where(np.isnan(values), ~is_held, False)
        held = np.flatnonzero(is_held)
        is_same[held] = (self.values[spots[held]] == values[held]) & (
            self.rated_at[spots[held]] == rated_at[held]
        )
        return _News(keys[~is_same], values[~is_same], rated_at[~is_same])

    def after(self, news: _News) -> tuple[Int64, Float32, Float64]:
        """Keys, values and times with the news in them."""
        spots, is_held = self._find(news.keys)
        stays: Bool = np.ones(self.n, dtype=np.bool_)
        stays[spots[is_held]] = False
        keys = self.keys[stays]
        comes = ~np.isnan(news.values)
        places = np.searchsorted(keys, news.keys[comes])
        return (
            np.insert(keys, places, news.keys[comes]),
            np.insert(self.values[stays], places, news.values[comes]),
            np.insert(self.rated_at[stays], places, news.rated_at[comes]),
        )

    def _find(self, keys: Int64) -> tuple[Int64, Bool]:
        """Where each of ``keys`` is or would be, and whether it is there."""
        spots = np.searchsorted(self.keys, keys)
        is_held = spots < self.n
        is_held[is_held] = self.keys[spots[is_held]] == keys[is_held]
        return spots, is_held


def _heard_since(since: datetime, before: Corpus) -> _Heard:
    written = Rating.objects.filter(updated_at__gte=since).order_by()
    users, movies, values, rated_at = _read(written)
    departed = _departed_since(since)
    n_read = len(users)
    if len(departed):
        others = ~np.isin(users, departed)
        own = _read_people(departed)
        n_read += len(own[0])
        gone = _gone(before, departed, own)
        rest = (users[others], movies[others], values[others], rated_at[others])
        users, movies, values, rated_at = _joined([rest, own, gone])
    return _Heard(users, movies, values, rated_at, n_read)


_Columns = tuple[Int64, Int64, Float32, Float64]


def _read(rows: "QuerySet[Rating]") -> _Columns:
    told = rows.values_list("user_id", "movie_id", "value", Epoch(F("changed_at"))).iterator(CHUNK_ROWS)
    # None becomes NaN.
    users, movies, values, rated_at = read_columns(told, (np.int64, np.int64, np.float32, np.float64))
    return users, movies, values, rated_at


def _departed_since(since: datetime) -> Int64:
    ids = RatingDeparture.objects.filter(at__gte=since).order_by().values_list("user_id", flat=True)
    return np.unique(np.fromiter(ids.iterator(CHUNK_ROWS), dtype=np.int64))


def _read_people(people: Int64) -> _Columns:
    standing = Rating.objects.standing().order_by()
    return _joined([_read(standing.filter(user_id__in=chunk)) for chunk in _chunks(people)])


def _joined(parts: Sequence[_Columns]) -> _Columns:
    users, movies, values, rated_at = zip(*parts, strict=True)
    return np.concatenate(users), np.concatenate(movies), np.concatenate(values), np.concatenate(rated_at)


def _chunks(people: Int64) -> Iterable[list[int]]:
    starts = range(0, len(people), _PEOPLE_AT_ONCE)
    return (people[start : start + _PEOPLE_AT_ONCE].tolist() for start in starts)


def _gone(before: Corpus, departed: Int64, own: _Columns) -> _Columns:
    """What the corpus holds of ``departed`` and the database does not any more."""
    known = before.interactions
    rows = np.flatnonzero(np.isin(before.people, departed))
    held = known.ratings[rows]
    users = np.repeat(before.people[rows], np.diff(held.indptr))
    movies = known.items.ids[held.indices]
    standing = set(zip(own[0].tolist(), own[1].tolist(), strict=True))
    lost = np.array(
        [pair not in standing for pair in zip(users.tolist(), movies.tolist(), strict=True)], dtype=np.bool_
    )
    users, movies = users[lost], movies[lost]
    return users, movies, np.full(len(users), np.nan, dtype=np.float32), np.zeros(len(users))


def _arrange(ledger: _Ledger, keys: Int64, values: Float32) -> tuple[ItemIndex, sparse.csr_matrix, Int64]:
    """Films, ratings and people of what ``keys`` say."""
    places = keys % len(ledger.movies)
    rated = np.zeros(len(ledger.movies), dtype=np.bool_)
    rated[places] = True
    items = ItemIndex(np.union1d(available_movies(), ledger.movies[rated]))
    columns = items.indices(ledger.movies).astype(np.int32)[places]
    spots, ends = row_ends(keys // len(ledger.movies))
    ratings = sparse.csr_matrix((values, columns, ends), shape=(len(spots), len(items)))
    return items, ratings, ledger.users[spots]


def _features(before: Corpus, items: ItemIndex, since: datetime, warn: Warn) -> tuple[ItemFeatures, Int64]:
    """The features of ``items``, and which of these the catalogue was told otherwise of."""
    known = before.interactions
    ids = Movie.objects.filter(updated_at__gte=since).order_by().values_list("id", flat=True)
    spots = items.indices(np.fromiter(ids.iterator(CHUNK_ROWS), dtype=np.int64))
    changed = np.unique(spots[spots >= 0])
    if len(changed) == 0 and np.array_equal(items.ids, known.items.ids):
        return known.features, changed
    return build_features(items, warn), changed


def _pairs(before: Int64, after: Int64, places: Int64, users: Int64) -> Int64:
    """The rows before and after of the people at ``places`` of ``users``; -1 where there is none."""
    people = users[places]
    return np.column_stack([ItemIndex(before).indices(people), ItemIndex(after).indices(people)])
