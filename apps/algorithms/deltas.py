"""What happened to the ratings since an arm was fitted, as its ``update`` reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.types import Bool, Int64, Interactions
from apps.algorithms.weights import signal_matrix


@dataclass(frozen=True, eq=False)
class Delta:
    """Two states of everybody's ratings, and who and what differs between them.

    before, after
        What the arm was fitted or updated on, and what it is to know now.
    columns
        int64 ``(before.n_items,)``: where each film of ``before`` stands in ``after``; -1 for one that went.
    people
        int64 ``(n, 2)``: the rows in ``before`` and in ``after`` of each person whose interactions differ,
        in whatever they say, -1 where there is none.
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
        return self._sides[0].ratings

    @cached_property
    def now(self) -> sparse.csr_matrix:
        """The stars that they have given now, of the same shape."""
        return self._sides[1].ratings

    @cached_property
    def rated(self) -> Int64:
        """Films of ``after`` of which a rating came, changed or went, or weighs otherwise, ascending."""
        was, now = self._sides
        differ = [_differing(was.ratings, now.ratings)]
        for name in ("weights", "sources"):
            if getattr(was, name) is not None or getattr(now, name) is not None:
                differ.append(_differing(_cells(was, name), _cells(now, name)))
        return np.unique(np.concatenate(differ)).astype(np.int64)

    def weighted(self, signal: str) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """``was`` and ``now`` as weights under ``signal``, without zeros."""
        was, now = (signal_matrix(side.ratings, signal, side.weights) for side in self._sides)
        return was, now

    @cached_property
    def _sides(self) -> tuple[Interactions, Interactions]:
        """Those who differ, before and after, both over the films of ``after``."""
        before = _people_of(self.before, self.people[:, 0])
        columns = self.columns[before.ratings.indices]
        if np.any(columns < 0):
            before = before.part(columns >= 0)
            columns = columns[columns >= 0]
        shape = (self.n_people, self.after.n_items)
        spots = np.arange(len(columns), dtype=np.int64)
        order = sparse.csr_matrix((spots, columns, before.ratings.indptr), shape=shape)
        order.sort_indices()
        moved = sparse.csr_matrix((before.ratings.data[order.data], order.indices, order.indptr), shape=shape)
        return (
            replace(before, ratings=moved, **before.aligned(order.data)),
            _people_of(self.after, self.people[:, 1]),
        )

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


def _people_of(interactions: Interactions, rows: Int64) -> Interactions:
    """The rows, empty ones where there is none."""
    known = np.flatnonzero(rows >= 0)
    found = interactions.of_people(rows[known])
    lengths = np.zeros(len(rows), dtype=np.int64)
    lengths[known] = np.diff(found.ratings.indptr)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    shape = (len(rows), interactions.n_items)
    spread = sparse.csr_matrix((found.ratings.data, found.ratings.indices, ends), shape=shape)
    return replace(found, ratings=spread)


def _cells(side: Interactions, name: str) -> sparse.csr_matrix:
    """What an aligned array says by person and film, so that no entry says 0."""
    said = getattr(side, name)
    # Weights are at least 0 and sources are counted from 0; None says what everybody's were before.
    usual = 1.0 if name == "weights" else 0.0
    values = np.full(side.ratings.nnz, usual) if said is None else said
    return sparse.csr_matrix(
        (values + 1.0, side.ratings.indices, side.ratings.indptr), shape=side.ratings.shape
    )


def _differing(was: sparse.csr_matrix, now: sparse.csr_matrix) -> Int64:
    """The columns in which they differ."""
    changed = now - was
    changed.eliminate_zeros()
    return np.asarray(changed.indices, dtype=np.int64)
