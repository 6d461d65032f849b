import numpy as np
import pytest

from apps.algorithms.encoders.combining import combine
from apps.algorithms.matrices import unit_rows
from apps.algorithms.types import Float32


def make_rows(n: int, dimensions: int, seed: int) -> Float32:
    return unit_rows(np.random.default_rng(seed).standard_normal((n, dimensions)))


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 1.0])
def test_the_cosine_is_the_weighted_mean_of_both(weight: float) -> None:
    text, posters = make_rows(6, 4, 1), make_rows(6, 3, 2)
    both = combine(text, posters, weight)
    assert both.shape == (6, 7)
    assert both.dtype == np.float32
    expected = (1 - weight) * text @ text.T + weight * posters @ posters.T
    np.testing.assert_allclose(both @ both.T, expected, atol=1e-6)


def test_a_film_without_a_poster_goes_by_its_text() -> None:
    text, posters = make_rows(3, 4, 1), make_rows(3, 2, 2)
    posters[1] = 0
    both = combine(text, posters, 0.4)
    assert both[1] == pytest.approx(np.hstack([text[1], [0, 0]]))
    assert np.linalg.norm(both, axis=1) == pytest.approx([1, 1, 1])


def test_a_film_without_a_text_goes_by_its_poster() -> None:
    text, posters = make_rows(2, 4, 1), make_rows(2, 2, 2)
    text[0] = 0
    assert combine(text, posters, 0.4)[0] == pytest.approx(np.hstack([[0, 0, 0, 0], posters[0]]))


def test_a_film_of_which_nothing_is_told_stays_zero() -> None:
    assert not combine(np.zeros((1, 4), np.float32), np.zeros((1, 2), np.float32), 0.4).any()


def test_texts_alone_are_left_as_they_are() -> None:
    text = make_rows(3, 4, 1)
    np.testing.assert_array_equal(combine(text, np.zeros((3, 0), np.float32), 0.9), text)
