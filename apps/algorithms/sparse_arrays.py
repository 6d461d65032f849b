"""Sparse matrices as plain arrays, and the one sparse product that serving needs."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from apps.algorithms.types import Arrays, Float32, Int64

# Below this scipy's indexing spends more on checks and copies than on the sum.
_FEW_ENTRIES = 5_000


def pack_csr(name: str, matrix: sparse.csr_matrix) -> Arrays:
    """A CSR matrix as four plain arrays named ``name_data``, ``_indices``, ``_indptr``, ``_shape``."""
    return {
        f"{name}_data": matrix.data.astype(np.float32, copy=False),
        f"{name}_indices": matrix.indices.astype(np.int32, copy=False),
        f"{name}_indptr": matrix.indptr.astype(np.int32, copy=False),
        f"{name}_shape": np.array(matrix.shape, dtype=np.int64),
    }


def unpack_csr(name: str, arrays: Arrays) -> sparse.csr_matrix:
    """The matrix that ``pack_csr`` packed, over the same memory: nothing is copied or read."""
    rows, columns = (int(size) for size in arrays[f"{name}_shape"])
    data = np.asarray(arrays[f"{name}_data"], dtype=np.float32)
    indices = np.asarray(arrays[f"{name}_indices"], dtype=np.int32)
    indptr = np.asarray(arrays[f"{name}_indptr"], dtype=np.int32)
    return sparse.csr_matrix((data, indices, indptr), shape=(rows, columns), copy=False)


def empty_csr(n_rows: int, n_columns: int) -> sparse.csr_matrix:
    """A float32 CSR matrix that stores nothing."""
    data, indices = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int32)
    return sparse.csr_matrix((data, indices, np.zeros(n_rows + 1, dtype=np.int32)), shape=(n_rows, n_columns))


def sum_rows(matrix: sparse.csr_matrix, rows: Int64, weights: Float32) -> Float32:
    """``weights @ matrix[rows]`` as a dense float32 ``(n_columns,)``.

    Costs the entries of these rows, whatever the size of the matrix.
    """
    if int((matrix.indptr[rows + 1] - matrix.indptr[rows]).sum()) < _FEW_ENTRIES:
        taken, owner = _entries(matrix, rows)
        values = matrix.data[taken] * weights[owner]
        return np.bincount(matrix.indices[taken], values, matrix.shape[1]).astype(np.float32)
    total = matrix[rows].T @ weights.astype(np.float32, copy=False)
    return np.asarray(total, dtype=np.float32)


def dense_rows(matrix: sparse.csr_matrix, rows: Int64) -> Float32:
    """``matrix[rows]`` as a dense float32 ``(len(rows), n_columns)``; for a few rows."""
    taken, owner = _entries(matrix, rows)
    block = np.zeros((len(rows), matrix.shape[1]), dtype=np.float32)
    block[owner, matrix.indices[taken]] = matrix.data[taken]
    return block


def dense_block(matrix: sparse.csr_matrix, rows: Int64, columns: Int64) -> Float32:
    """``matrix[rows][:, columns]`` as a dense float32 ``(len(rows), len(columns))``; no column twice.

    Costs the entries of these rows and one pass over the columns of the matrix.
    """
    taken, owner = _entries(matrix, rows)
    place = np.full(matrix.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    spots = place[matrix.indices[taken]]
    kept = np.flatnonzero(spots >= 0)
    block = np.zeros((len(rows), len(columns)), dtype=np.float32)
    block[owner[kept], spots[kept]] = matrix.data[taken[kept]]
    return block


def _entries(matrix: sparse.csr_matrix, rows: Int64) -> tuple[Int64, Int64]:
    """Where the stored entries of ``rows`` lie, row by row, and to which place of ``rows`` each belongs.

    For a few rows: scipy's own indexing checks and copies more than there is to read.
    """
    starts = matrix.indptr[rows].astype(np.int64)
    lengths = matrix.indptr[rows + 1] - starts
    owner = np.repeat(np.arange(len(rows)), lengths)
    taken = np.arange(len(owner)) + (starts - np.cumsum(lengths) + lengths)[owner]
    return taken, owner


def keep_strongest(blocks: Iterable[Float32], n_columns: int, *, keep: int) -> sparse.csr_matrix:
    """Dense blocks of rows, stacked into a CSR with the ``keep`` entries largest in magnitude per row.

    There is at least one block. Columns ascend within a row; zeros are not stored. Only one block
    is held densely at a time, so ``blocks`` may be a generator over a matrix too big for memory.
    """
    parts = [_strongest_of(block, min(keep, n_columns)) for block in blocks]
    return sparse.csr_matrix(sparse.vstack(parts, format="csr"))


def _strongest_of(block: Float32, keep: int) -> sparse.csr_matrix:
    n_rows, n_columns = block.shape
    spots = np.argpartition(-np.abs(block), keep - 1, axis=1)[:, :keep]
    spots = np.sort(spots, axis=1).astype(np.int32)
    values = np.take_along_axis(block, spots, axis=1).astype(np.float32)
    indptr = np.arange(n_rows + 1, dtype=np.int32) * np.int32(keep)
    cut = sparse.csr_matrix((values.ravel(), spots.ravel(), indptr), shape=(n_rows, n_columns))
    cut.eliminate_zeros()
    return cut
