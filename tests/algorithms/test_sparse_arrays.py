import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from apps.algorithms.sparse_arrays import dense_block, keep_strongest, pack_csr, sum_rows, unpack_csr


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
    np.testing.assert_array_equal(
        dense_block(matrix, rows, np.array([4, 0])), matrix.toarray()[np.ix_(rows, [4, 0])]
    )


@given(keep=st.integers(1, 15), n_rows=st.integers(1, 9), seed=st.integers(0, 99))
def test_keeps_the_strongest_of_every_row(keep, n_rows, seed):
    dense = np.random.default_rng(seed).standard_normal((n_rows, 11)).astype(np.float32)
    cut = keep_strongest([dense[:2], dense[2:]] if n_rows > 2 else [dense], 11, keep=keep)
    weakest = np.sort(np.abs(dense), axis=1)[:, max(11 - keep, 0)]
    np.testing.assert_array_equal(cut.toarray(), np.where(np.abs(dense) >= weakest[:, None], dense, 0))
