import numpy as np
import pytest
from scipy import sparse

from apps.algorithms import matrices
from apps.algorithms.matrices import (
    dense_block,
    pack_csr,
    product_blocks,
    sum_dense_rows,
    sum_rows,
    unit_rows,
    unpack_csr,
)


def make_matrix(seed: int = 3) -> sparse.csr_matrix:
    return sparse.random(8, 11, density=0.4, format="csr", dtype=np.float32, rng=seed)


def test_packing_and_unpacking_keeps_the_memory():
    matrix = make_matrix()
    again = unpack_csr("rows", pack_csr("rows", matrix))
    np.testing.assert_array_equal(again.toarray(), matrix.toarray())
    assert np.shares_memory(again.data, matrix.data)
    assert np.shares_memory(again.indices, matrix.indices)


def test_sums_weighted_rows():
    matrix, rows = make_matrix(), np.array([6, 1, 3])
    weights = np.array([1.0, 0.5, 2.0], dtype=np.float32)
    np.testing.assert_allclose(sum_rows(matrix, rows, weights), weights @ matrix.toarray()[rows], rtol=1e-5)
    dense = matrix.toarray()
    dense.flags.writeable = False  # as a memory-mapped file is
    np.testing.assert_allclose(sum_dense_rows(dense, rows, weights), weights @ dense[rows], rtol=1e-5)
    np.testing.assert_array_equal(
        dense_block(matrix, rows, np.array([4, 0])), matrix.toarray()[np.ix_(rows, [4, 0])]
    )


@pytest.mark.parametrize("rows", [[], [2], [7, 2, 0], [2, 2, 5, 7]])
@pytest.mark.parametrize("columns", [[], [10], [4, 0, 9]])
def test_a_block_is_that_of_the_whole_matrix(rows, columns):
    dense = make_matrix().toarray()
    dense[2] = 0
    block = dense_block(
        sparse.csr_matrix(dense), np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)
    )
    assert block.dtype == np.float32
    np.testing.assert_array_equal(block, dense[np.ix_(rows, columns)].reshape(len(rows), len(columns)))


def test_unit_rows_have_length_one_and_rounding_errors_none():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e-9, 0.0]]))
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, 0]]))


@pytest.mark.parametrize("block_rows", [3, 8, 512])
def test_a_product_in_blocks_is_the_whole_product(monkeypatch, block_rows):
    monkeypatch.setattr(matrices, "_BLOCK_ROWS", block_rows)
    left, right = make_matrix().astype(np.float64), make_matrix(5).T.tocsr().astype(np.float64)
    whole = np.full((8, 8), np.nan)
    for rows, block in product_blocks(left, right):
        whole[rows] = block
    np.testing.assert_allclose(whole, left.toarray() @ right.toarray())
