"""Films watched by the same people, as sparse BM25 neighbours computed by ``implicit``."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.matrices import empty_csr, row_blocks, with_rows
from apps.algorithms.types import Float32, Int64


def bm25_neighbours(matrix: sparse.csr_matrix, keep: int, *, k1: float, b: float) -> sparse.csr_matrix:
    """Similarities of films, CSR ``(n_items, n_items)`` with at most ``keep`` neighbours a row.

    Rows of films are weighted by BM25 with people as terms, ``idf(u) (k1 + 1) x / (k1 norm(i) + x)``
    (Robertson and Zaragoza 2009), and multiplied; a film is no neighbour of itself.
    """
    n_items = matrix.shape[1]
    if matrix.nnz == 0:
        return empty_csr(n_items, n_items)
    # Here, because a process that only serves never needs it.
    from implicit.nearest_neighbours import all_pairs_knn

    found = all_pairs_knn(_weighted(matrix, k1, b), min(keep + 1, n_items), show_progress=False)
    others = np.flatnonzero((found.row != found.col) & (found.data != 0.0))
    cells = (found.row[others], found.col[others])
    rows = sparse.csr_matrix((found.data[others].astype(np.float32), cells), shape=(n_items, n_items))
    # A film is not always among those most like itself: then there is one too many.
    return _best(rows, keep)


def updated_neighbours(
    before: sparse.csr_matrix, matrix: sparse.csr_matrix, films: Int64, keep: int, *, k1: float, b: float
) -> sparse.csr_matrix:
    """``bm25_neighbours(matrix, ...)`` with the rows of ``films``, which ascend, and what leads to them
    worked out anew; the rest is as in ``before``, CSR ``(n_items, n_items)``.

    What other films' weights move by, since the number of people and the mean length did, is left to a fit.
    A neighbour that was cut off comes back only if it is among ``films``.
    """
    if matrix.nnz == 0:
        return empty_csr(*before.shape)
    if len(films) == 0:
        return before
    weighted = _weighted(matrix, k1, b)
    others = _without(before, films)
    # A film that is worked out anew takes its neighbours from its own row alone.
    least = _least_kept(others, keep)
    least[films] = np.inf
    own, led = [], []
    by_film = sparse.csr_matrix(weighted.tocsc()[:, films].T)
    # Some films at a time: how alike they are to all is hardly sparse.
    for some in row_blocks(len(films)):
        alike = by_film[some] @ weighted
        owner = np.repeat(films[some], np.diff(alike.indptr))
        alike.data[alike.indices == owner] = 0.0
        own.append(_best(alike, keep))
        closer = np.flatnonzero(alike.data > least[alike.indices])
        led.append((alike.data[closer], alike.indices[closer], owner[closer]))
    values, rows, columns = (np.concatenate(parts) for parts in zip(*led, strict=True))
    found = sparse.csr_matrix(others + sparse.csr_matrix((values, (rows, columns)), shape=before.shape))
    over = np.flatnonzero(np.diff(found.indptr) > keep)
    found = with_rows(found, over, _best(found[over], keep))
    return sparse.csr_matrix(with_rows(found, films, sparse.vstack(own, format="csr")), dtype=np.float32)


def share_of_pairs(matrix: sparse.csr_matrix, films: Int64) -> float:
    """Of all pairs of one person's ratings, the share in which the first is of ``films``; 0 without any."""
    is_anew = np.zeros(matrix.shape[1], dtype=np.bool_)
    is_anew[films] = True
    counts = np.diff(matrix.indptr).astype(np.int64)
    anew = np.diff(np.concatenate([[0], np.cumsum(is_anew[matrix.indices])])[matrix.indptr])
    total = int(counts @ counts)
    return float(counts @ anew) / total if total else 0.0


def _weighted(matrix: sparse.csr_matrix, k1: float, b: float) -> sparse.csr_matrix:
    """People by films, of which the transposed times it is how alike two films are."""
    from implicit.nearest_neighbours import bm25_weight

    return sparse.csr_matrix(bm25_weight(matrix.T, k1, b).T)


def _without(matrix: sparse.csr_matrix, films: Int64) -> sparse.csr_matrix:
    """A square matrix without what is in the rows and columns of ``films``."""
    stays = np.ones(matrix.shape[0], dtype=np.bool_)
    stays[films] = False
    kept = stays[matrix.indices] & np.repeat(stays, np.diff(matrix.indptr))
    ends = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], ends), shape=matrix.shape)


def _least_kept(rows: sparse.csr_matrix, keep: int) -> Float32:
    """What a new neighbour must exceed: the least in a row that is full, else 0."""
    counts = np.diff(rows.indptr)
    least = np.zeros(rows.shape[0], dtype=np.float32)
    held = np.flatnonzero(counts)
    if len(held):
        least[held] = np.minimum.reduceat(rows.data, rows.indptr[held])
    return np.where(counts >= keep, least, np.float32(0.0))


def _best(rows: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """The ``keep`` greatest entries of each row, above 0; of equal ones the first."""
    rows.sort_indices()
    counts = np.diff(rows.indptr)
    owner = np.repeat(np.arange(rows.shape[0]), counts)
    bound = np.zeros(rows.shape[0], dtype=rows.dtype)
    for some in row_blocks(rows.shape[0]):
        if counts[some].max(initial=0) > keep:
            bound[some] = _nth_greatest(rows[some], keep)
    above = rows.data > bound[owner]
    level = (rows.data == bound[owner]) & (rows.data > 0)
    # Of those on the bound as many as still fit, in their order.
    room = keep - np.bincount(owner[above], minlength=rows.shape[0])
    nth = np.cumsum(level) - np.concatenate([[0], np.cumsum(level)])[rows.indptr[owner]]
    kept = (above | (level & (nth <= room[owner]))) & (rows.data > 0)
    ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
    return sparse.csr_matrix((rows.data[kept], rows.indices[kept], ends), shape=rows.shape)


def _nth_greatest(rows: sparse.csr_matrix, nth: int) -> npt.NDArray[Any]:
    """Of each row that has more than ``nth`` entries; 0 of the others."""
    counts = np.diff(rows.indptr)
    padded = np.zeros((rows.shape[0], counts.max()), dtype=rows.dtype)
    owner = np.repeat(np.arange(rows.shape[0]), counts)
    padded[owner, np.arange(rows.nnz) - rows.indptr[owner]] = rows.data
    return np.asarray(-np.partition(-padded, nth - 1, axis=1)[:, nth - 1])
