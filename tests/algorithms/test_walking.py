import numpy as np
import pytest

from apps.algorithms.arms.walking import _strongest
from tests.algorithms.contract import make_rng


@pytest.mark.parametrize("keep", [1, 3, 40, 300])
@pytest.mark.parametrize("n_columns", [5, 61, 250])
def test_keeps_of_each_row_the_strongest_above_nothing(keep, n_columns):
    rng = make_rng()
    # Few different values, so that many are level, and in some rows hardly any is above 0.
    values = rng.integers(0, 6, (5, n_columns)) * (
        rng.random((5, n_columns)) < [[1], [0.5], [0.02], [0], [1]]
    )
    values, scales = values.astype(np.float32), np.ones(n_columns, dtype=np.float32)
    values[:, :5] *= 1 - np.eye(5, dtype=np.float32)
    expected = np.zeros_like(values)
    for row, told in zip(expected, values, strict=True):
        best = np.argsort(-told, kind="stable")[:keep]
        row[best] = told[best]
    kept = _strongest(values.copy(), np.arange(5), scales, keep)
    np.testing.assert_array_equal(kept.toarray(), expected)
    assert kept.nnz == np.count_nonzero(expected)
