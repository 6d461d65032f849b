"""How divided people are about a film."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from apps.algorithms.popularity import rating_entropy


def entropies(*films: list[float]) -> list[float]:
    """Of films by the stars that each got."""
    people = max((len(stars) for stars in films), default=0)
    dense = np.array([stars + [0.0] * (people - len(stars)) for stars in films], dtype=np.float32)
    return rating_entropy(sparse.csr_matrix(dense.T)).tolist()


def test_is_nothing_where_all_agree_or_nobody_said_anything() -> None:
    assert entropies([4.0, 4.0, 4.0], [0.5], []) == [0.0, 0.0, 0.0]


def test_is_that_of_a_coin_where_half_love_and_half_hate_it() -> None:
    (entropy,) = entropies([0.5, 5.0, 5.0, 0.5])
    assert entropy == pytest.approx(np.log(2))


def test_counts_each_half_star_as_a_step_of_its_own() -> None:
    (entropy,) = entropies([half / 2 for half in range(1, 11)])
    assert entropy == pytest.approx(np.log(10), rel=1e-6)


def test_goes_by_shares() -> None:
    (entropy,) = entropies([3.0, 3.0, 3.0, 4.0])
    assert entropy == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))


@given(st.lists(st.sampled_from([half / 2 for half in range(1, 11)]), max_size=30))
def test_is_no_more_than_ten_steps_allow_and_the_same_in_any_order(stars: list[float]) -> None:
    (entropy,) = entropies(stars)
    assert 0 <= entropy <= np.log(10) + 1e-6
    assert entropies(sorted(stars)) == [entropy]
