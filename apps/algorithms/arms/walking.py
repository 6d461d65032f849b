"""A random walk with restart from film to film, over what they share and who rated them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.matrices import empty_csr
from apps.algorithms.types import Float32, Float64, Int64

BLOCK_CELLS = 4_000_000
"""Cells of a dense block of rows: what the walk holds at once, however many films there are."""
NEGLIGIBLE = 0.05
"""A walk ends where no more than this share of walkers is left."""
GOING_ON = 50
"""Walks go on from so many films at most, where most walkers are."""
_GROUPS = 4
"""Groups of a row for each cell of it that is kept: few hold more than one of these."""
_WIDE = 16
"""A node that more than one film in so many has is multiplied as a dense row, which is faster."""


@dataclass(frozen=True)
class Bridge:
    """One step from film to film by way of other nodes: the chances of each half of it.

    ``there`` is CSR ``(n_items, n_nodes)``, ``back`` CSR ``(n_nodes, n_items)``, for nodes that few films
    have; ``wide_there`` and ``wide_back``, of the same kind and dense, for the others.
    """

    there: sparse.csr_matrix
    back: sparse.csr_matrix
    wide_there: sparse.csr_matrix
    wide_back: Float32

    def step(self, rows: Int64) -> Float32:
        """Where one step from these films ends, float32 ``(len(rows), n_items)``."""
        narrow = (self.there[rows] @ self.back).toarray()
        narrow += self.wide_there[rows].toarray() @ self.wide_back
        return np.asarray(narrow, dtype=np.float32)


def bridge(there: sparse.csr_matrix, back: sparse.csr_matrix, shrink: float = 0.0) -> Bridge:
    """A bridge from weights of edges, ``there`` and ``back`` both ``(n_items, n_nodes)``.

    A film goes on to its nodes in proportion to ``there``. A node goes on to its films in proportion to
    ``back``, but as if it had ``shrink`` average films more, at which the walk ends: one film alone that
    shares a rare node does not get all that the node passes on.
    """
    average = float(back.data.mean()) if back.nnz else 0.0
    onward = _scaled(there, 0.0)
    returning = _scaled(sparse.csr_matrix(back.T), shrink * average)
    is_wide = np.diff(returning.indptr) * _WIDE > back.shape[0]
    narrow, wide = np.flatnonzero(~is_wide), np.flatnonzero(is_wide)
    return Bridge(onward[:, narrow], returning[narrow], onward[:, wide], returning[wide].toarray())


def walk(
    bridges: list[tuple[Float32, Bridge]], scales: Float32, *, restart: float, keep: int
) -> sparse.csr_matrix:
    """Where walks from each film are found, CSR ``(n_items, n_items)`` with at most ``keep`` a row.

    A row is ``restart * sum over t >= 1 of (1 - restart)^(t - 1) P^t`` times ``scales``, the strongest
    kept; ``P = sum diag(share) there back`` over the bridges, without the way back to where it began.
    After each step too only the strongest are kept, and of these only ``GOING_ON`` go on. ``share`` and
    ``scales`` are float32 ``(n_items,)``, from 0 to 1.
    """
    steps = _step_matrix(bridges, scales, keep)
    if restart < 1.0 - NEGLIGIBLE:
        parts = [_walked(steps, rows, scales, restart, keep) for rows in _blocks(len(scales))]
        steps = _stacked(parts, len(scales))
    steps.data *= scales[steps.indices]
    return steps


def walk_again(
    bridges: list[tuple[Float32, Bridge]],
    rows: Int64,
    before: sparse.csr_matrix,
    scales: Float32,
    *,
    restart: float,
    keep: int,
) -> sparse.csr_matrix:
    """Where walks from ``rows`` alone are found, CSR ``(len(rows), n_items)``, as rows of ``walk``.

    After its first step a walk goes on as ``before`` has it, rows of ``walk`` not yet times ``scales``: ``R =
    restart P + (1 - restart) P R``, which is what the sum of ``walk`` comes to.
    """
    parts = []
    for some in np.array_split(rows, max(1, len(rows) * len(scales) // BLOCK_CELLS)):
        found = np.zeros((len(some), len(scales)), dtype=np.float32)
        for share, one in bridges:
            found += share[some][:, None] * one.step(some)
        first = _strongest(found, some, scales, keep)
        if restart < 1.0 - NEGLIGIBLE:
            onward = (_pruned(first, GOING_ON) @ before).toarray()
            total = np.float32(restart) * first.toarray() + np.float32(1.0 - restart) * onward
            first = _strongest(total, some, scales, keep)
        parts.append(first)
    found_rows = _stacked(parts, len(scales))
    found_rows.data *= scales[found_rows.indices]
    return found_rows


def _step_matrix(bridges: list[tuple[Float32, Bridge]], scales: Float32, keep: int) -> sparse.csr_matrix:
    n_items = len(scales)
    parts = []
    for rows in _blocks(n_items):
        found = np.zeros((len(rows), n_items), dtype=np.float32)
        for share, one in bridges:
            found += share[rows][:, None] * one.step(rows)
        parts.append(_strongest(found, rows, scales, keep))
    return _stacked(parts, n_items)


def _walked(
    steps: sparse.csr_matrix, rows: Int64, scales: Float32, restart: float, keep: int
) -> sparse.csr_matrix:
    """The walks from ``rows``, CSR ``(len(rows), n_items)``."""
    place, left = steps[rows], restart
    total = np.float32(left) * place.toarray()
    place = _pruned(place, GOING_ON)
    while (left := left * (1.0 - restart)) > NEGLIGIBLE * restart:
        found = (place @ steps).toarray()
        total += np.float32(left) * found
        if left * (1.0 - restart) > NEGLIGIBLE * restart:
            place = _strongest(found, rows, scales, min(keep, GOING_ON))
    return _strongest(total, rows, scales, keep)


def _strongest(values: Float32, rows: Int64, scales: Float32, keep: int) -> sparse.csr_matrix:
    """The ``keep`` of each row's ``values`` that are highest times ``scales``, if above 0, as CSR.

    Ties fall by column. What a film of ``rows`` says of itself is left out; ``values`` lose it.
    """
    n_rows, n_columns = values.shape
    values[np.arange(n_rows), rows] = 0.0
    weights = values * scales
    owners, columns = np.divmod(np.flatnonzero(weights >= _lower_bounds(weights, keep)[:, None]), n_columns)
    found = weights[owners, columns]
    least = _least_kept(found, np.bincount(owners, minlength=n_rows), keep)[owners]
    above, tied = found > least, found == least
    room = keep - np.bincount(owners[above], minlength=n_rows)
    first = np.cumsum(np.bincount(owners, weights=tied, minlength=n_rows)).astype(np.int64)
    nth = np.cumsum(tied) - np.concatenate([[0], first[:-1]])[owners]
    kept = above | (tied & (nth <= room[owners]))
    owners, columns = owners[kept], columns[kept]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n_rows))])
    return sparse.csr_matrix((values[owners, columns], columns, pointers), shape=values.shape)


def _pruned(matrix: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """The ``keep`` highest entries of each row; ties by column."""
    sizes = np.diff(matrix.indptr)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((matrix.indices, -matrix.data, owners))
    kept = np.sort(order[np.arange(len(order)) - matrix.indptr[owners] < keep])
    pointers = np.concatenate([[0], np.cumsum(np.minimum(sizes, keep))])
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], pointers), shape=matrix.shape)


def _lower_bounds(weights: Float32, keep: int) -> Float32:
    """Above 0, and no more than the ``keep``-th highest of each row if that is: float32 ``(n_rows,)``.

    The ``keep``-th highest of the groups' highest, which costs one pass over the row.
    """
    n_rows, n_columns = weights.shape
    size = max(1, n_columns // (_GROUPS * keep))
    n_groups = n_columns // size
    bounds = np.full(n_rows, np.finfo(np.float32).smallest_subnormal)
    if n_groups <= keep:
        return bounds
    # A group is a column, so that each step compares whole rows.
    best = weights[:, : n_groups * size].reshape(n_rows, size, n_groups).max(axis=1)
    return np.maximum(bounds, np.partition(best, n_groups - keep, axis=1)[:, n_groups - keep])


def _least_kept(weights: Float32, lengths: Int64, keep: int) -> Float32:
    """The ``keep``-th highest of each row; 0 for one with fewer. ``weights`` are row after row."""
    least = np.zeros(len(lengths), dtype=np.float32)
    ends = np.cumsum(lengths)
    for row in np.flatnonzero(lengths > keep).tolist():
        own = weights[ends[row] - lengths[row] : ends[row]]
        least[row] = np.partition(own, len(own) - keep)[len(own) - keep]
    return least


def _stacked(parts: list[sparse.csr_matrix], n_items: int) -> sparse.csr_matrix:
    whole = sparse.vstack([empty_csr(0, n_items), *parts], format="csr")
    return sparse.csr_matrix(whole, dtype=np.float32)


def _blocks(n_items: int) -> Iterator[Int64]:
    size = max(1, BLOCK_CELLS // max(n_items, 1))
    for start in range(0, n_items, size):
        yield np.arange(start, min(start + size, n_items))


def _scaled(weights: sparse.csr_matrix, more: float) -> sparse.csr_matrix:
    """Rows divided by their sums and ``more``."""
    sums: Float64 = np.asarray(weights.sum(axis=1), dtype=np.float64).ravel() + more
    return sparse.csr_matrix(sparse.diags(1.0 / np.maximum(sums, 1e-12)) @ weights, dtype=np.float32)
