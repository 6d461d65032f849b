"""Ways to hold back a part of the ratings.

Every split keeps the shape of the matrix, the order of the ratings and their times: ``known`` and
``test`` are disjoint and together hold every rating. Equal times and equal draws fall by the order
in which the ratings are stored, so the same input and generator give the same split.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import sparse

from apps.algorithms.types import Bool, Int64, Interactions


@dataclass(frozen=True)
class Split:
    """Two disjoint parts of the same ratings, over the same people and films.

    ``known`` is what viewers are measured with: ``train``, and of people who are not in it their first
    ratings.
    """

    train: Interactions
    test: Interactions
    known: Interactions


def random_split(interactions: Interactions, rng: np.random.Generator, *, test_share: float = 0.2) -> Split:
    """Hold back a random ``test_share`` of all ratings, whoever gave them."""
    _require_share(test_share)
    n = interactions.ratings.nnz
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
    groups = _users(interactions) if by == "person" else interactions.ratings.indices.astype(np.int64)
    order = np.lexsort((rng.random(len(groups)), groups))
    sizes = np.bincount(groups, minlength=interactions.ratings.shape[0 if by == "person" else 1])
    return _split(interactions, _last_of_each(order, sizes, _shares(sizes, test_share)))


def leave_last_out(interactions: Interactions, *, count: int = 1, share: float | None = None) -> Split:
    """Hold back each person's newest ``count`` ratings, or the newest ``share`` of them, rounded.

    One rating at least stays in ``train``. Among ratings of one moment the higher film index is newer.
    """
    sizes = _sizes(interactions)
    if share is None:
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        held = np.minimum(count, np.maximum(sizes - 1, 0))
    else:
        _require_share(share)
        held = _shares(sizes, share)
    order = np.lexsort((interactions.ratings.indices, interactions.rated_at, _users(interactions)))
    return _split(interactions, _last_of_each(order, sizes, held))


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
    if cut is None:
        cut = newest_share_from(interactions, test_share)
    in_train = interactions.rated_at < cut
    if not told_share:
        return _split(interactions, ~in_train)
    in_test = ~in_train & ~_first_of_newcomers(interactions, in_train, told_share)
    return Split(
        train=_part(interactions, in_train),
        test=_part(interactions, in_test),
        known=_part(interactions, ~in_test),
    )


def newest_share_from(interactions: Interactions, share: float) -> float:
    """The moment, in seconds since 1970, from which on the newest ``share`` of the ratings was given."""
    _require_share(share)
    n = interactions.ratings.nnz
    spot = n - round(n * share)
    return float(np.sort(interactions.rated_at)[spot]) if spot < n else np.inf


def newcomer_split(
    interactions: Interactions, rng: np.random.Generator, *, test_share: float = 0.2, first: int = 5
) -> Split:
    """Hold back a random ``test_share`` of the people, and tell only their oldest ``first`` ratings.

    Of those with as many ratings or fewer nothing is held back. ``train`` has none of the people held back.
    """
    _require_share(test_share)
    if first < 1:
        raise ValueError(f"first must be at least 1, not {first}")
    sizes = _sizes(interactions)
    many = np.flatnonzero(sizes > first)
    people = rng.permutation(many)[: round(len(many) * test_share)]
    users = _users(interactions)
    of_newcomer = np.isin(users, people)
    held = np.where(np.isin(np.arange(len(sizes)), people), sizes - first, 0)
    order = np.lexsort((interactions.ratings.indices, interactions.rated_at, users))
    in_test = _last_of_each(order, sizes, held)
    known = _part(interactions, ~in_test)
    return Split(_part(interactions, ~of_newcomer), _part(interactions, in_test), known)


def k_fold(interactions: Interactions, rng: np.random.Generator, *, folds: int = 5) -> Iterator[Split]:
    """``folds`` splits over all ratings; each rating is held back in exactly one of them."""
    n = interactions.ratings.nnz
    if not 2 <= folds <= n:
        raise ValueError(f"folds must be 2 to the number of ratings, {n}, not {folds}")
    fold_of = rng.permutation(n) % folds
    return (_split(interactions, fold_of == fold) for fold in range(folds))


def take_people(interactions: Interactions, people: Int64) -> Interactions:
    """The ratings of the rows ``people``, ascending, alone; over all films as before."""
    kept = np.zeros(interactions.n_users, dtype=np.bool_)
    kept[people] = True
    return Interactions(
        ratings=interactions.ratings[kept],
        rated_at=interactions.rated_at[kept[_users(interactions)]],
        items=interactions.items,
        features=interactions.features,
    )


def test_of(split: Split, people: Int64) -> Split:
    """The same split with the ratings held back of the rows ``people`` alone."""
    kept = np.isin(_users(split.test), people)
    return replace(split, test=_part(split.test, kept))


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


def _split(interactions: Interactions, in_test: Bool) -> Split:
    train = _part(interactions, ~in_test)
    return Split(train=train, test=_part(interactions, in_test), known=train)


def _part(interactions: Interactions, keep: Bool) -> Interactions:
    whole = interactions.ratings
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    part = sparse.csr_matrix(
        (whole.data[keep], whole.indices[keep], kept_before[whole.indptr]), shape=whole.shape
    )
    return Interactions(
        ratings=part,
        rated_at=interactions.rated_at[keep],
        items=interactions.items,
        features=interactions.features,
    )
