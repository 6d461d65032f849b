"""Ways to hold back a part of the ratings.

What is held back are explicit ratings, whatever else is learned from: so what counts as relevant is the same
for everybody who is measured. Every split keeps the shape of the matrix, the order of the ratings and their
times: ``known`` and ``test`` are disjoint and together hold every explicit rating. Equal times and equal
draws fall by the order in which the ratings are stored, so the same input and generator give the same split.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from apps.algorithms.types import Bool, Float64, Int64, Interactions, ItemIndex, Source


@dataclass(frozen=True)
class Split:
    """Two disjoint parts of the same explicit ratings, over the same people and films.

    ``known`` is what viewers are measured with: ``train``, and of people who are not in it their first
    ratings. ``learned`` is what is fitted on: ``train``, and beside it whatever else than ratings there is,
    with its weights and tags. Of that, where what is held back is newer than ``train``, nothing is as new as
    it: by one moment for everybody, or by the first of a person's ratings held back.
    """

    train: Interactions
    test: Interactions
    known: Interactions
    learned: Interactions


def random_split(interactions: Interactions, rng: np.random.Generator, *, test_share: float = 0.2) -> Split:
    """Hold back a random ``test_share`` of all ratings, whoever gave them."""
    _require_share(test_share)
    n = interactions.explicit.ratings.nnz
    in_test = np.zeros(n, dtype=np.bool_)
    in_test[rng.permutation(n)[: round(n * test_share)]] = True
    return _split(interactions, in_test)


def stratified_split(
    interactions: Interactions,
    rng: np.random.Generator,
    *,
    test_share: float = 0.2,
    by: Literal["person", "film"] = "person",
) -> Split:
    """Hold back a random ``test_share`` of each person's or film's ratings, rounded, never all of them."""
    _require_share(test_share)
    told = interactions.explicit
    groups = _users(told) if by == "person" else told.ratings.indices.astype(np.int64)
    order = np.lexsort((rng.random(len(groups)), groups))
    sizes = np.bincount(groups, minlength=told.ratings.shape[0 if by == "person" else 1])
    return _split(interactions, _last_of_each(order, sizes, _shares(sizes, test_share)))


def leave_last_out(interactions: Interactions, *, count: int = 1, share: float | None = None) -> Split:
    """Hold back each person's newest ``count`` ratings, or the newest ``share`` of them, rounded.

    One rating at least stays in ``train``. Among ratings of one moment the higher film index is newer.
    """
    told = interactions.explicit
    sizes = _sizes(told)
    if share is None:
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        held = np.minimum(count, np.maximum(sizes - 1, 0))
    else:
        _require_share(share)
        held = _shares(sizes, share)
    users = _users(told)
    order = np.lexsort((told.ratings.indices, told.rated_at, users))
    in_test = _last_of_each(order, sizes, held)
    before = np.full(interactions.n_users, np.inf)
    np.minimum.at(before, users[in_test], told.rated_at[in_test])
    return _split(interactions, in_test, before)


def temporal_split(
    interactions: Interactions,
    *,
    test_share: float = 0.2,
    cut: float | None = None,
    told_share: float = 0.0,
) -> Split:
    """Hold back everything rated at or after one moment, for everybody the same.

    ``cut`` is that moment in seconds since 1970; None takes the moment from which on the newest
    ``test_share`` of all ratings was given. Ratings of the moment itself are all held back, so no
    rating in ``test`` is as old as one in ``train``. Of people who came after it the oldest ``told_share``
    of their ratings, rounded, never all of them, is in ``known`` instead: they are measured too, and nothing
    was fitted on them.
    """
    if not 0 <= told_share < 1:
        raise ValueError(f"the share told must lie between 0 and 1, not {told_share}")
    told = interactions.explicit
    if cut is None:
        cut = newest_share_from(told, test_share)
    in_test = told.rated_at >= cut
    before = np.full(interactions.n_users, cut)
    split = _split(interactions, in_test, before)
    if not told_share:
        return split
    is_told = _first_of_newcomers(told, ~in_test, told_share)
    return replace(split, test=told.part(in_test & ~is_told), known=told.part(~in_test | is_told))


def newest_share_from(interactions: Interactions, share: float) -> float:
    """The moment, in seconds since 1970, from which on the newest ``share`` of the ratings was given."""
    _require_share(share)
    told = interactions.explicit
    n = told.ratings.nnz
    spot = n - round(n * share)
    return float(np.sort(told.rated_at)[spot]) if spot < n else np.inf


def newcomer_split(
    interactions: Interactions, rng: np.random.Generator, *, test_share: float = 0.2, first: int = 5
) -> Split:
    """Hold back a random ``test_share`` of the people, and tell only their oldest ``first`` ratings.

    Of those with as many ratings or fewer nothing is held back. ``train`` has none of the people held back.
    """
    _require_share(test_share)
    if first < 1:
        raise ValueError(f"first must be at least 1, not {first}")
    told = interactions.explicit
    sizes = _sizes(told)
    many = np.flatnonzero(sizes > first)
    people = rng.permutation(many)[: round(len(many) * test_share)]
    users = _users(told)
    of_newcomer = np.isin(users, people)
    is_newcomer = np.isin(np.arange(len(sizes)), people)
    held = np.where(is_newcomer, sizes - first, 0)
    order = np.lexsort((told.ratings.indices, told.rated_at, users))
    in_test = _last_of_each(order, sizes, held)
    train = told.part(~of_newcomer)
    before = np.where(is_newcomer, -np.inf, np.inf)
    learned = train if told is interactions else _learned(interactions, of_newcomer, before)
    return Split(train, told.part(in_test), told.part(~in_test), learned)


def k_fold(interactions: Interactions, rng: np.random.Generator, *, folds: int = 5) -> Iterator[Split]:
    """``folds`` splits over all ratings; each rating is held back in exactly one of them."""
    n = interactions.explicit.ratings.nnz
    if not 2 <= folds <= n:
        raise ValueError(f"folds must be 2 to the number of ratings, {n}, not {folds}")
    fold_of = rng.permutation(n) % folds
    return (_split(interactions, fold_of == fold) for fold in range(folds))


def take_people(interactions: Interactions, people: Int64) -> Interactions:
    """The rows ``people`` alone, ascending; over all films as before."""
    return interactions.of_people(np.unique(people))


def take_items(interactions: Interactions, ids: Int64) -> Interactions:
    """The films ``ids`` alone, ascending and each one of its own; people as before."""
    if np.array_equal(ids, interactions.items.ids):
        return interactions
    spots, features = interactions.items.indices(ids), interactions.features
    places = np.full(interactions.n_items, -1, dtype=interactions.ratings.indices.dtype)
    places[spots] = np.arange(len(spots))
    kept = interactions.part(places[interactions.ratings.indices] >= 0)
    shape = (interactions.n_users, len(spots))
    whole = kept.ratings
    ratings = sparse.csr_matrix((whole.data, places[whole.indices], whole.indptr), shape=shape)
    of_films = ("genres", "primary_genre", "terms", "vectors", "is_long_tail", "is_niche", "n_shown")
    taken = {name: getattr(features, name)[spots] for name in of_films}
    return replace(kept, ratings=ratings, items=ItemIndex(ids), features=replace(features, **taken))


def held_back_of(split: Split, people: Int64) -> Split:
    """The same split with the ratings held back of the rows ``people`` alone."""
    return replace(split, test=split.test.part(np.isin(_users(split.test), people)))


def _require_share(share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"the share held back must lie between 0 and 1, not {share}")


def _sizes(interactions: Interactions) -> Int64:
    return np.diff(interactions.ratings.indptr).astype(np.int64)


def _users(interactions: Interactions) -> Int64:
    """The row of each stored rating."""
    return np.repeat(np.arange(interactions.n_users, dtype=np.int64), _sizes(interactions))


def _shares(sizes: Int64, share: float) -> Int64:
    rounded = np.floor(sizes * share + 0.5).astype(np.int64)
    held: Int64 = np.minimum(rounded, np.maximum(sizes - 1, 0))
    return held


def _first_of_newcomers(interactions: Interactions, in_train: Bool, share: float) -> Bool:
    """Marks the oldest ``share`` of the ratings of each person who has none in ``in_train``."""
    sizes, users = _sizes(interactions), _users(interactions)
    is_new = np.bincount(users[in_train], minlength=len(sizes)) == 0
    held = np.where(is_new, sizes - _shares(sizes, share), sizes)
    order = np.lexsort((interactions.ratings.indices, interactions.rated_at, users))
    return ~_last_of_each(order, sizes, held)


def _last_of_each(order: Int64, sizes: Int64, held: Int64) -> Bool:
    """Marks the last ``held[group]`` ratings of each group; ``order`` sorts by group first."""
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    in_test = np.empty(len(order), dtype=np.bool_)
    in_test[order] = place >= np.repeat(sizes - held, sizes)
    return in_test


def _split(interactions: Interactions, in_test: Bool, before: Float64 | None = None) -> Split:
    """``in_test`` is aligned with the explicit ratings, ``before`` as in ``_learned``."""
    told = interactions.explicit
    train = told.part(~in_test)
    learned = train if told is interactions else _learned(interactions, in_test, before)
    return Split(train=train, test=told.part(in_test), known=train, learned=learned)


def _learned(interactions: Interactions, left_out: Bool, before: Float64 | None) -> Interactions:
    """Without the explicit ratings that ``left_out`` marks, and what else each person did from ``before`` on.

    ``before`` is in seconds since 1970, ``(n_users,)``; None where it does not matter when.
    """
    is_rating = np.asarray(interactions.sources == Source.RATING)
    kept = np.ones(len(interactions.rated_at), dtype=np.bool_)
    if before is not None:
        kept = interactions.rated_at < before[_users(interactions)]
    kept[is_rating] = ~left_out
    return interactions.part(kept)
