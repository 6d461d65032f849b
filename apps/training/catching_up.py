"""What was said since a version was fitted: the database's rows of that time, and not the others."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import F, QuerySet
from django.utils import timezone
from scipy import sparse

from apps.algorithms.deltas import Delta, delta_of
from apps.algorithms.types import Bool, Int64, ItemFeatures, ItemIndex, Source
from apps.catalog.models import Movie
from apps.events.models import Feedback
from apps.ratings.models import Rating, RatingDeparture
from apps.training.columns import CHUNK_ROWS, Epoch, read_columns
from apps.training.corpus import Corpus
from apps.training.datasets import available_movies, interactions_of, row_ends
from apps.training.encoding import Warn, log_warning
from apps.training.features import build_features
from apps.training.rows import Rows, Said
from apps.training.sources import ACTS, complete, departure_kinds, in_chunks, models_of, sources_of, tagged

OVERLAP = timedelta(seconds=60)
"""A row bears the time at which it was written and is seen when its transaction ends, which may be later."""


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
    whom ratings went without a tombstone, and where more than ratings is learned from, of whoever did
    anything; the films' features only where the catalogue says that a film was changed, came or went.
    """
    read_at = timezone.now()
    since = before.read_at - OVERLAP
    heard = _heard_since(since, before)
    ledger = _Ledger.of(before, heard.rows)
    told = ledger.news(heard.rows)
    keys, said = ledger.after(told)
    items, ratings, people = _arrange(ledger, keys, said)
    features, changed = _features(before, items, since, warn)
    interactions = interactions_of(ratings, said, before.data, before.mean_inverse, items, features)
    after = Corpus(interactions, people, read_at, before.data, before.mean_inverse, before.stored)
    pairs = _pairs(before.people, people, np.unique(told.keys // len(ledger.movies)), ledger.users)
    delta = delta_of(before.interactions, interactions, people=pairs, described=changed)
    return CaughtUp(after, delta, heard.n_read, len(told.keys))


@dataclass(frozen=True, eq=False)
class _Heard:
    """One row a person and film; its value is NaN for one that is not there any more."""

    rows: Rows
    n_read: int


@dataclass(frozen=True, eq=False)
class _News:
    """What differs from the corpus, ``keys`` ascending; a value of NaN where a row went."""

    keys: Int64
    said: Said


@dataclass(frozen=True, eq=False)
class _Ledger:
    """The rows of a corpus by one number each: the person's place in ``users`` times the number of
    ``movies``, and the film's place there."""

    users: Int64
    movies: Int64
    keys: Int64
    said: Said

    @classmethod
    def of(cls, before: Corpus, heard: Rows) -> "_Ledger":
        known = before.interactions
        users = np.union1d(before.people, heard.users)
        movies = np.union1d(known.items.ids, heard.movies)
        rows = np.searchsorted(users, before.people) * len(movies)
        columns = np.searchsorted(movies, known.items.ids)
        keys = np.repeat(rows, np.diff(known.ratings.indptr)) + columns[known.ratings.indices]
        return cls(users, movies, keys, Said.of(known))

    @cached_property
    def n(self) -> int:
        return len(self.keys)

    def news(self, heard: Rows) -> _News:
        """Those of ``heard`` that say something else."""
        keys = np.searchsorted(self.users, heard.users) * len(self.movies)
        keys += np.searchsorted(self.movies, heard.movies)
        order = np.argsort(keys, kind="stable")
        keys, said = keys[order], heard.said.take(order)
        spots, is_held = self._find(keys)
        is_same = np.where(np.isnan(said.values), ~is_held, False)
        held = np.flatnonzero(is_held)
        is_same[held] = ~self.said.take(spots[held]).differs(said.take(held))
        return _News(keys[~is_same], said.take(~is_same))

    def after(self, news: _News) -> tuple[Int64, Said]:
        """Keys and what they say with the news in them."""
        spots, is_held = self._find(news.keys)
        stays: Bool = np.ones(self.n, dtype=np.bool_)
        stays[spots[is_held]] = False
        keys = self.keys[stays]
        comes = ~np.isnan(news.said.values)
        places = np.searchsorted(keys, news.keys[comes])
        said = self.said.take(stays).merged(places, news.said.take(comes))
        return np.insert(keys, places, news.keys[comes]), said.slim()

    def _find(self, keys: Int64) -> tuple[Int64, Bool]:
        """Where each of ``keys`` is or would be, and whether it is there."""
        spots = np.searchsorted(self.keys, keys)
        is_held = spots < self.n
        is_held[is_held] = self.keys[spots[is_held]] == keys[is_held]
        return spots, is_held


def _heard_since(since: datetime, before: Corpus) -> _Heard:
    gone = RatingDeparture.objects.filter(at__gte=since, kind__in=departure_kinds(before.data))
    departed = _people(gone)
    if not before.data.is_of_ratings_alone:
        return _whole(np.union1d(departed, _active_since(since, before)), before)
    written = _read(Rating.objects.filter(updated_at__gte=since).order_by())
    written = tagged(written, (Source.RATING,), np.unique(written.users))
    if len(departed) == 0:
        return _Heard(written, len(written))
    left = _whole(departed, before)
    others = written.take(~np.isin(written.users, departed))
    return _Heard(Rows.joined([others, left.rows]), len(written) + left.n_read)


def _active_since(since: datetime, before: Corpus) -> Int64:
    """Whoever did anything that the corpus may tell of. What stands in for a rating depends on all that a
    person said of the film."""
    acts = [kind for source in sources_of(before.data) for kind in ACTS[source]]
    found = [_people(Feedback.objects.filter(received_at__gte=since, kind__in=acts))]
    found += [
        _people(model._default_manager.filter(updated_at__gte=since)) for model in models_of(before.data)
    ]
    return np.unique(np.concatenate(found))


def _people(rows: "QuerySet[Any]") -> Int64:
    ids = rows.order_by().values_list("user_id", flat=True)
    return np.unique(np.fromiter(ids.iterator(CHUNK_ROWS), dtype=np.int64))


def _whole(people: Int64, before: Corpus) -> _Heard:
    """All that stands of ``people``, and what the corpus holds of them and the database does not any more."""
    standing = Rating.objects.standing().order_by()
    ratings = Rows.joined([_read(standing.none()), *map(_read, in_chunks(standing, people))])
    own = complete(ratings, before.data, people)
    return _Heard(Rows.joined([own, _gone(before, people, own)]), len(own))


def _read(rows: "QuerySet[Rating]") -> Rows:
    told = rows.values_list("user_id", "movie_id", "value", Epoch(F("changed_at"))).iterator(CHUNK_ROWS)
    # None becomes NaN.
    users, movies, values, rated_at = read_columns(told, (np.int64, np.int64, np.float32, np.float64))
    return Rows.of_ratings(users, movies, values, rated_at)


def _gone(before: Corpus, people: Int64, own: Rows) -> Rows:
    known = before.interactions
    rows = np.flatnonzero(np.isin(before.people, people))
    held = known.ratings[rows]
    users = np.repeat(before.people[rows], np.diff(held.indptr))
    movies = known.items.ids[held.indices]
    standing = set(zip(own.users.tolist(), own.movies.tolist(), strict=True))
    lost = np.array(
        [pair not in standing for pair in zip(users.tolist(), movies.tolist(), strict=True)], dtype=np.bool_
    )
    users, movies = users[lost], movies[lost]
    return Rows.of_ratings(users, movies, np.full(len(users), np.nan, dtype=np.float32), np.zeros(len(users)))


def _arrange(ledger: _Ledger, keys: Int64, said: Said) -> tuple[ItemIndex, sparse.csr_matrix, Int64]:
    """Films, ratings and people of what ``keys`` say."""
    places = keys % len(ledger.movies)
    rated = np.zeros(len(ledger.movies), dtype=np.bool_)
    rated[places] = True
    items = ItemIndex(np.union1d(available_movies(), ledger.movies[rated]))
    columns = items.indices(ledger.movies).astype(np.int32)[places]
    spots, ends = row_ends(keys // len(ledger.movies))
    ratings = sparse.csr_matrix((said.values, columns, ends), shape=(len(spots), len(items)))
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
