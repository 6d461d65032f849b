import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.encoders.base import EncoderRefused, finite_rows

NUMBERS = st.floats(-1e6, 1e6, width=32)


def test_rows_get_length_one_and_rounding_errors_none() -> None:
    rows = finite_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e-9, 0.0]]), "lsa")
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, 0]]))


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=8))
def test_lengths_are_one_or_zero_whatever_the_numbers(rows: list[tuple[float, float, float]]) -> None:
    given_rows = np.array(rows, dtype=np.float32).reshape(-1, 3)
    lengths = np.linalg.norm(finite_rows(given_rows, "lsa"), axis=1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-5))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_refuses_a_number_that_is_not_finite(number: float) -> None:
    with pytest.raises(EncoderRefused) as refusal:
        finite_rows(np.array([[1.0, 0.0], [number, 1.0], [0.0, 1.0]]), "minilm")
    assert str(refusal.value) == (
        "The encoder minilm made numbers that are not finite of 1 of 3 films: its weights are damaged, "
        "copy them anew."
    )
