"""How much each film followed each other one, over all histories."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from apps.algorithms.matrices import product_blocks
from apps.algorithms.types import Float64, Int64, Interactions
from apps.algorithms.weights import signal_values

_CHUNK = 16
"""Entries of a history that meet each other one by one, and all earlier entries together."""
_BLOCK_CELLS = 8_000_000
"""What is held at once of the way there, however many ratings there are."""


@dataclass(frozen=True)
class Entries:
    """What counts of all histories, person by person and oldest first; all arrays ``(n,)``.

    ``spots`` are film indices and ``weights`` float64 above 0. ``places`` are those in the whole history:
    what does not count lets time pass. ``nth`` counts the person's entries before this one, so it is 0
    where a person begins.
    """

    spots: Int64
    weights: Float64
    places: Int64
    nth: Int64

    def between(self, start: int, end: int) -> "Entries":
        part = slice(start, end)
        return Entries(self.spots[part], self.weights[part], self.places[part], self.nth[part])


def read_entries(interactions: Interactions, films: Int64, signal: str, *, longest: int) -> Entries:
    """Of each person the newest ``longest`` ratings of ``films`` that weigh; ``spots`` index ``films``.

    A rating that weighs nothing under ``signal`` lets time pass; one of weight 0 was never there.
    """
    interactions = interactions.counted
    ratings = interactions.ratings
    spot_of = np.full(interactions.n_items, -1, dtype=np.int64)
    spot_of[films] = np.arange(len(films))
    people = np.repeat(np.arange(interactions.n_users), np.diff(ratings.indptr))
    order = np.lexsort((ratings.indices, interactions.rated_at, people))
    spots, weights = spot_of[ratings.indices[order]], signal_values(ratings.data[order], signal)
    if interactions.weights is not None:
        weights = weights * interactions.weights[order]
    counted = np.flatnonzero((weights > 0) & (spots >= 0))
    counts = np.bincount(people[counted], minlength=interactions.n_users)
    newer = np.cumsum(counts)[people[counted]] - np.arange(len(counted))
    kept = counted[newer <= longest]
    counts = np.minimum(counts, longest)
    return Entries(
        spots=spots[kept],
        weights=weights[kept].astype(np.float64),
        places=kept - ratings.indptr[people[kept]],
        nth=np.arange(len(kept)) - np.repeat(np.cumsum(counts) - counts, counts),
    )


def sum_following(entries: Entries, n_films: int, reach: float) -> Float64:
    """``sum w_a w_b k e_a e_b'`` over each person's pairs of entries a before b: ``(n_films, n_films)``.

    ``k = 0.5 ** ((b - a) / reach)`` for places a and b. It is a product of how long a was before any moment
    between them and how long b comes after that: so what came before a chunk of entries meets the chunk as
    one product of sparse matrices.
    """
    following = np.zeros((n_films, n_films))
    for block in _blocks(entries):
        _add_within_chunks(following, block, reach)
        if np.any(block.nth >= _CHUNK):
            before, after = _around_chunks(block, n_films, reach)
            for rows, product in product_blocks(before.T.tocsr(), after):
                following[rows] += product
    return following


def _blocks(entries: Entries) -> Iterator[Entries]:
    """Parts that begin and end with a person."""
    cells = np.cumsum(_CHUNK / 2 + entries.nth / _CHUNK)
    firsts = np.flatnonzero(entries.nth == 0)
    begins = np.flatnonzero(np.diff(cells[firsts] // _BLOCK_CELLS, prepend=-1))
    bounds = [*firsts[begins].tolist(), len(entries.nth)]
    for start, end in pairwise(bounds):
        yield entries.between(start, end)


def _add_within_chunks(following: Float64, entries: Entries, reach: float) -> None:
    cells = following.reshape(-1)
    for lag in range(1, _CHUNK):
        later = np.flatnonzero(entries.nth % _CHUNK >= lag)
        earlier = later - lag
        age = entries.places[later] - entries.places[earlier]
        values = entries.weights[earlier] * entries.weights[later] * np.exp2(-age / reach)
        np.add.at(cells, entries.spots[earlier] * len(following) + entries.spots[later], values)


def _around_chunks(
    entries: Entries, n_films: int, reach: float
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """A row for each chunk but a person's first: weights of all entries before it, and of those in it."""
    heads = np.flatnonzero((entries.nth >= _CHUNK) & (entries.nth % _CHUNK == 0))
    lengths = entries.nth[heads]
    ends = np.cumsum(lengths)
    earlier = np.arange(ends[-1]) + np.repeat(heads - ends, lengths)
    age = np.repeat(entries.places[heads], lengths) - entries.places[earlier]
    later = np.flatnonzero(entries.nth >= _CHUNK)
    delay = entries.places[later] - entries.places[later - entries.nth[later] % _CHUNK]
    pointers = np.concatenate([np.searchsorted(later, heads), [len(later)]])
    return (
        _rows(entries, earlier, age / reach, np.concatenate([[0], ends]), n_films),
        _rows(entries, later, delay / reach, pointers, n_films),
    )


def _rows(
    entries: Entries, taken: Int64, halvings: Float64, pointers: Int64, n_films: int
) -> sparse.csr_matrix:
    values = entries.weights[taken] * np.exp2(-halvings)
    return sparse.csr_matrix((values, entries.spots[taken], pointers), shape=(len(pointers) - 1, n_films))
