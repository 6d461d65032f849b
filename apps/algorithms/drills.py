"""Ratings that nothing can be learned from, to see that what is learned from them is found out."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from apps.algorithms.types import Interactions


def shuffle_films(interactions: Interactions, rng: np.random.Generator) -> Interactions:
    """The same people, stars and times about films drawn at random, all of one person's at once.

    Who rated how often stays. Each person's films move along one random order of the catalogue by a number
    of places of their own. One permutation for everybody would only rename the films: what is learned from
    such ratings is as good as before on ratings renamed alike.
    """
    whole, n_items = interactions.ratings, interactions.n_items
    order = rng.permutation(n_items)
    moved_by = rng.integers(n_items, size=interactions.n_users) if n_items else np.zeros(0, dtype=np.int64)
    sizes = np.diff(whole.indptr)
    rows = np.repeat(np.arange(interactions.n_users), sizes)
    columns = order[(whole.indices + np.repeat(moved_by, sizes)) % max(n_items, 1)]
    sorting = np.lexsort((columns, rows))
    ratings = sparse.csr_matrix(
        (whole.data[sorting], columns[sorting].astype(whole.indices.dtype), whole.indptr), shape=whole.shape
    )
    return replace(interactions, ratings=ratings, **interactions.aligned(sorting))
