from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from apps.algorithms.types import NOBODY, Interactions, ItemFeatures, ItemIndex, Source


def make_features(n_items: int, *, n_genres: int = 3) -> ItemFeatures:
    """Films whose one genre is their index modulo ``n_genres``."""
    primary = (np.arange(n_items) % n_genres).astype(np.int32)
    genres = sparse.csr_matrix(
        (np.ones(n_items, dtype=np.float32), (np.arange(n_items), primary)), shape=(n_items, n_genres)
    )
    return ItemFeatures(
        genres=genres,
        primary_genre=primary,
        terms=sparse.csr_matrix((n_items, 0), dtype=np.float32),
        genre_names=tuple(f"genre {number}" for number in range(n_genres)),
        term_names=(),
        vectors=np.zeros((n_items, 0), dtype=np.float32),
        is_long_tail=np.zeros(n_items, dtype=np.bool_),
        is_niche=np.zeros(n_items, dtype=np.bool_),
        n_shown=np.zeros(n_items, dtype=np.int64),
    )


def make_interactions(
    rows: Sequence[tuple[int, int, float, float]], *, n_users: int, n_items: int
) -> Interactions:
    """Ratings from rows of (user, item, stars, seconds since 1970), in any order."""
    ordered = sorted(rows)
    counts = np.bincount([user for user, *_ in ordered], minlength=n_users)
    ratings = sparse.csr_matrix(
        (
            np.array([stars for _, _, stars, _ in ordered], dtype=np.float32),
            np.array([item for _, item, _, _ in ordered], dtype=np.int32),
            np.concatenate([[0], np.cumsum(counts)]),
        ),
        shape=(n_users, n_items),
    )
    return Interactions(
        ratings=ratings,
        rated_at=np.array([moment for *_, moment in ordered], dtype=np.float64),
        items=ItemIndex(ids=np.arange(n_items, dtype=np.int64) * 10),
        features=make_features(n_items),
    )


def rows_of(interactions: Interactions) -> list[tuple[int, int, float, float]]:
    """What ``make_interactions`` makes them of."""
    ratings = interactions.ratings
    people = np.repeat(np.arange(interactions.n_users), np.diff(ratings.indptr))
    columns = (people, ratings.indices, ratings.data, interactions.rated_at)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def make_random_interactions(
    rng: np.random.Generator, *, n_users: int = 20, n_items: int = 30, density: float = 0.3
) -> Interactions:
    """Random half-star ratings; many share a moment."""
    users, items = np.nonzero(rng.random((n_users, n_items)) < density)
    stars = rng.integers(1, 11, len(users)) / 2
    moments = rng.integers(0, 50, len(users)).astype(float)
    rows = list(zip(users.tolist(), items.tolist(), stars.tolist(), moments.tolist(), strict=True))
    return make_interactions(rows, n_users=n_users, n_items=n_items)


def with_sources(interactions: Interactions, rng: np.random.Generator) -> Interactions:
    """A third of the entries are no ratings, all have a weight, and every other one was shown by an arm."""
    n = interactions.ratings.nnz
    sources = np.where(rng.random(n) < 1 / 3, rng.integers(1, len(Source), n), 0).astype(np.int8)
    shown_by = np.where(np.arange(n) % 2, 0, NOBODY).astype(np.int8)
    return replace(
        interactions,
        weights=rng.uniform(0.1, 2, n).astype(np.float32),
        sources=sources,
        shown_by=shown_by,
        propensities=np.where(shown_by == NOBODY, np.nan, rng.uniform(0.1, 1, n)).astype(np.float32),
        arm_names=("svd",),
    )
