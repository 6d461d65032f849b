import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.types import History
from apps.algorithms.weights import history_weights, recency_weights, signal_matrix, signal_values
from tests.algorithms.factories import make_interactions

STARS = np.array([0.5, 2.0, 3.5, 4.0, 5.0], dtype=np.float32)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("all", [1, 1, 1, 1, 1]),
        ("liked", [0, 0, 0, 1, 1]),
        ("graded", [0, 0, 0.5, 2 / 3, 1]),
        ("stars", [0.1, 0.4, 0.7, 0.8, 1]),
    ],
)
def test_reads_stars_as_weights(signal, expected):
    assert signal_values(STARS, signal) == pytest.approx(expected)


def test_a_matrix_of_signals_stores_no_zeros_and_leaves_the_ratings():
    rows = [(0, 0, 5.0, 0.0), (0, 1, 1.0, 0.0), (1, 1, 3.5, 0.0)]
    ratings = make_interactions(rows, n_users=2, n_items=2).ratings
    assert signal_matrix(ratings, "liked").nnz == 1
    assert ratings.data.tolist() == [5.0, 1.0, 3.5]


def test_weight_halves_down_to_a_floor():
    assert recency_weights(np.array([0, 10, 20]), 10.0) == pytest.approx([1.0, 0.55, 0.325])
    assert recency_weights(np.array([10_000]), 1.0) == pytest.approx([0.1])


def test_without_a_half_life_age_does_not_matter():
    assert recency_weights(np.array([0, 500]), None).tolist() == [1.0, 1.0]


@given(n=st.integers(0, 300), half_life=st.floats(0.5, 10_000))
def test_newer_entries_never_weigh_less(n, half_life):
    weights = recency_weights(np.arange(n), half_life)
    assert np.all(np.diff(weights) <= 0)
    assert np.all((weights >= 0.1 - 1e-6) & (weights <= 1.0))


def test_an_entrys_weight_is_its_signal_times_its_recency():
    history = History(items=np.array([4, 2]), values=np.array([5.0, 3.5], dtype=np.float32))
    assert history_weights(history, "graded", 1.0) == pytest.approx([0.55, 0.5])
