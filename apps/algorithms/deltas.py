"""What happened to the ratings since an arm was fitted, as its ``update`` reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.types import Bool, Int64, Interactions
from apps.algorithms.weights import signal_values


@dataclass(frozen=True, eq=False)
class Delta:
    """Two states of everybody's ratings, and who and what differs between them.

    before, after
        What the arm was fitted or updated on, and what it is to know now.
    columns
        int64 ``(before.n_items,)``: where each film of ``before`` stands in ``after``; -1 for one that went.
    people
        int64 ``(n, 2)``: the rows in ``before`` and in ``after`` of each person whose ratings differ, -1
        where there is none.
    described
        int64, ascending: films of ``after`` that the catalogue tells otherwise of, or that are new to it.
    """

    before: Interactions
    after: Interactions
    columns: Int64
    people: Int64
    described: Int64

    @property
    def n_people(self) -> int:
        return len(self.people)

    @cached_property
    def is_of_same_films(self) -> bool:
        """Whether every film stands where it stood."""
        return len(self.columns) == self.after.n_items and bool(
            np.array_equal(self.columns, np.arange(len(self.columns)))
        )

    @cached_property
    def was(self) -> sparse.csr_matrix:
        """The stars before of those who differ, CSR float32 ``(n_people, after.n_items)``; films that are
        gone are left out.
        """
        rows = _rows_of(self.before.ratings, self.people[:, 0])
        places = self.columns[rows.indices]
        kept = places >= 0
        ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
        shape = (self.n_people, self.after.n_items)
        found = sparse.csr_matrix((rows.data[kept], places[kept], ends), shape=shape)
        found.sort_indices()
        return found

    @cached_property
    def now(self) -> sparse.csr_matrix:
        """The stars that they have given now, of the same shape."""
        return _rows_of(self.after.ratings, self.people[:, 1])

    @cached_property
    def rated(self) -> Int64:
        """Films of ``after`` of which a rating came, changed or went, ascending."""
        changed = self.now - self.was
        changed.eliminate_zeros()
        return np.unique(changed.indices).astype(np.int64)

    def weighted(self, signal: str) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """``was`` and ``now`` as weights under ``signal``, without zeros."""
        return _weighted(self.was, signal), _weighted(self.now, signal)

    def carried(self, rows: npt.NDArray[Any], fill: float = 0.0) -> npt.NDArray[Any]:
        """``rows``, one a film of ``before``, at the places of ``after``; ``fill`` for films that are new."""
        if self.is_of_same_films:
            return rows
        found = np.full((self.after.n_items, *rows.shape[1:]), fill, dtype=rows.dtype)
        kept = self.columns >= 0
        found[self.columns[kept]] = rows[kept]
        return found

    def moved_square(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """Films by films of ``before`` at the places of ``after``; what is gone is left out."""
        if self.is_of_same_films:
            return matrix
        cells = matrix.tocoo()
        rows, columns = self.columns[cells.row], self.columns[cells.col]
        kept = (rows >= 0) & (columns >= 0)
        shape = (self.after.n_items, self.after.n_items)
        found = sparse.csr_matrix((cells.data[kept], (rows[kept], columns[kept])), shape=shape)
        found.sort_indices()
        return found


def delta_of(
    before: Interactions,
    after: Interactions,
    *,
    people: Sequence[tuple[int, int]] | Int64,
    described: Int64 | None = None,
) -> Delta:
    """``people`` and ``described`` as in ``Delta``; films that are new to ``after`` are described anyway."""
    columns = after.items.indices(before.items.ids)
    is_new: Bool = np.ones(after.n_items, dtype=np.bool_)
    is_new[columns[columns >= 0]] = False
    told = np.flatnonzero(is_new) if described is None else np.union1d(described, np.flatnonzero(is_new))
    pairs = np.asarray(people, dtype=np.int64).reshape(-1, 2)
    return Delta(before, after, columns, pairs, told.astype(np.int64))


def _rows_of(ratings: sparse.csr_matrix, rows: Int64) -> sparse.csr_matrix:
    """The rows, empty ones where there is none."""
    known = np.flatnonzero(rows >= 0)
    found = ratings[rows[known]]
    lengths = np.zeros(len(rows), dtype=np.int64)
    lengths[known] = np.diff(found.indptr)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_matrix((found.data, found.indices, ends), shape=(len(rows), ratings.shape[1]))


def _weighted(stars: sparse.csr_matrix, signal: str) -> sparse.csr_matrix:
    found = sparse.csr_matrix(
        (signal_values(stars.data, signal), stars.indices.copy(), stars.indptr.copy()), shape=stars.shape
    )
    found.eliminate_zeros()
    return found
