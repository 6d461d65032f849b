"""Matrices as plain arrays, laid out for the products that serving needs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg.blas import saxpy

from apps.algorithms.types import Arrays, Float32, Float64, Int64

# Below this scipy's indexing spends more on checks and copies than on the sum.
_FEW_ENTRIES = 5_000
_BLOCK_ROWS = 512


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


def column_major(matrix: npt.NDArray[Any]) -> Float32:
    """A tall dense matrix as float32, column by column, as saving and loading leave it.

    Multiplying all its rows by one vector then runs over whole columns, at twice to three times the speed.
    """
    return np.asfortranarray(matrix, dtype=np.float32)


def unit_rows(rows: npt.NDArray[Any]) -> Float32:
    """The rows at length one, float32, row by row in memory; one of rounding errors alone becomes zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    # Nothing is told of its direction.
    scales = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 1e-6)
    return np.ascontiguousarray(rows * scales[:, None], dtype=np.float32)


def profile_length(profile: Float32) -> np.float32:
    """The length of a dense vector, at least 1e-12, so that one of zeros can be divided by it."""
    return np.float32(max(float(np.sqrt(profile @ profile)), 1e-12))


def with_rows(matrix: sparse.csr_matrix, rows: Int64, others: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with ``others`` in the places of ``rows``, which ascend."""
    if len(rows) == 0:
        return matrix
    order = np.arange(matrix.shape[0])
    order[rows] = matrix.shape[0] + np.arange(len(rows))
    return sparse.csr_matrix(sparse.vstack([matrix, others], format="csr")[order])


def count_entries(matrix: sparse.csr_matrix, rows: Int64) -> int:
    """How many entries ``matrix`` stores in these rows."""
    return int((matrix.indptr[rows + 1] - matrix.indptr[rows]).sum())


def sum_rows(matrix: sparse.csr_matrix, rows: Int64, weights: Float32) -> Float32:
    """``weights @ matrix[rows]`` as a dense float32 ``(n_columns,)``.

    Costs the entries of these rows, whatever the size of the matrix.
    """
    if count_entries(matrix, rows) < _FEW_ENTRIES:
        taken, owner = _entries(matrix, rows)
        values = matrix.data[taken] * weights[owner]
        return np.bincount(matrix.indices[taken], values, matrix.shape[1]).astype(np.float32)
    total = matrix[rows].T @ weights.astype(np.float32, copy=False)
    return np.asarray(total, dtype=np.float32)


def sum_dense_rows(matrix: Float32, rows: Int64, weights: Float32) -> Float32:
    """``weights @ matrix[rows]`` as float32 ``(n_columns,)``; of a C-ordered matrix nothing is copied."""
    total = np.zeros(matrix.shape[1], dtype=np.float32)
    for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
        total = saxpy(matrix[row], total, a=weight)
    return total


def row_blocks(n_rows: int) -> Iterator[slice]:
    """Some rows at a time of a matrix that is worked on in parts."""
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, n_rows, _BLOCK_ROWS))


def product_blocks(left: sparse.csr_matrix, right: sparse.csr_matrix) -> Iterator[tuple[slice, Float64]]:
    """``left @ right`` of float64, dense, some rows at a time.

    Whole, a sparse product that is hardly sparse takes more memory than the same dense.
    """
    return ((rows, (left[rows] @ right).toarray()) for rows in row_blocks(left.shape[0]))


def stored_columns(matrix: sparse.csr_matrix, rows: Int64) -> Int64:
    """The columns in which any of ``rows`` stores an entry, ascending; for a few rows."""
    taken, _ = _entries(matrix, rows)
    return np.unique(matrix.indices[taken]).astype(np.int64)


def dense_block(matrix: sparse.csr_matrix, rows: Int64, columns: Int64) -> Float32:
    """``matrix[rows][:, columns]`` as a dense float32 ``(len(rows), len(columns))``; no column twice.

    Costs the entries of these rows and one pass over the columns of the matrix.
    """
    block = np.zeros((len(rows), len(columns)), dtype=np.float32)
    if len(rows) == 0:
        return block
    place = np.full(matrix.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    starts, ends = matrix.indptr[rows].astype(np.int64), matrix.indptr[rows + 1]
    slices = zip(starts.tolist(), ends.tolist(), strict=True)
    spots = place[np.concatenate([matrix.indices[start:end] for start, end in slices])]
    # Few of many entries are asked for: only of these it is worked out where they lie.
    kept = np.flatnonzero(spots >= 0)
    after = np.cumsum(ends - starts)
    owner = np.searchsorted(after, kept, side="right")
    block[owner, spots[kept]] = matrix.data[kept + (ends - after)[owner]]
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
