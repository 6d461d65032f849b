import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.algorithms.bandits.propensity import rank_probabilities, second_probabilities


def beta(*pairs):
    alphas, betas = zip(*pairs, strict=True)
    return np.array(alphas, dtype=np.float64), np.array(betas, dtype=np.float64)


@st.composite
def beliefs(draw):
    shape = draw(st.integers(1, 8))
    rates = draw(arrays(np.float64, shape, elements=st.floats(0.01, 0.99)))
    sizes = draw(arrays(np.float64, shape, elements=st.floats(2, 1e6)))
    return 0.5 + sizes * rates, 0.5 + sizes * (1 - rates)


def test_a_single_arm_comes_first():
    assert rank_probabilities(*beta((3, 4))).tolist() == [[1.0]]


@pytest.mark.parametrize("n_arms", [2, 3, 6])
def test_equal_beliefs_share_every_rank(n_arms):
    ranks = rank_probabilities(*beta(*[(15, 85)] * n_arms))
    assert ranks == pytest.approx(np.full((n_arms, n_arms), 1 / n_arms), abs=1e-9)


def test_an_arm_that_is_surely_better_comes_first():
    ranks = rank_probabilities(*beta((100, 900), (900, 100), (110, 890)))
    assert ranks[1] == pytest.approx([1, 0, 0], abs=1e-9)
    assert ranks[:, 0] == pytest.approx([0, 1, 0], abs=1e-9)


def test_two_uniform_draws_and_the_larger_of_two_are_as_worked_out():
    # Beta(2, 1) has the density 2x: it is above two uniform draws with the integral of 2x * x^2, which is
    # 1/2, and below both with that of 2x (1 - x)^2, which is 1/6.
    ranks = rank_probabilities(*beta((1, 1), (1, 1), (2, 1)))
    assert ranks[2] == pytest.approx([1 / 2, 1 / 3, 1 / 6], abs=0.003)
    assert ranks[0] == pytest.approx([1 / 4, 1 / 3, 5 / 12], abs=0.003)


@pytest.mark.parametrize(
    "pairs",
    [
        [(1, 1)] * 3 + [(2, 5), (1.5, 30), (40, 200)],
        [(30, 170), (3300, 16700), (28, 172), (1, 4), (31, 150), (2e6, 1e7)],
        [(1.2, 900), (1.1, 1000), (3, 2000), (1, 500)],
        [(15, 85)] * 3 + [(150, 850), (10, 90), (10, 90)],
    ],
)
@pytest.mark.parametrize("optimistic", [False, True])
def test_is_within_five_thousandths_of_a_million_draws(pairs, optimistic):
    alpha, betas = beta(*pairs)
    rng = np.random.default_rng(3)
    draws = rng.beta(alpha, betas, (1_000_000, len(pairs)))
    if optimistic:
        draws = np.maximum(draws, alpha / (alpha + betas))
    # Equal ones in random order.
    drawn = np.lexsort((rng.random(draws.shape), -draws), axis=1)
    seen = np.stack([np.bincount(rank, minlength=len(pairs)) for rank in drawn.T], axis=1) / 1e6
    # A draw's own error is at most .0005 a cell: by chance the bound is passed once in 10^21.
    assert np.abs(rank_probabilities(alpha, betas, optimistic=optimistic) - seen).max() < 0.005
    first = int(seen[:, 0].argmax())
    second = drawn[drawn[:, 0] == first, 1]
    after = np.bincount(second, minlength=len(pairs)) / len(second)
    # At least 160,000 of them: .0063 is five standard deviations.
    found = second_probabilities(alpha, betas, first, optimistic=optimistic)
    assert np.abs(found - after).max() < 0.0063


@given(beliefs(), st.booleans())
def test_every_rank_has_one_arm_and_every_arm_one_rank(belief, optimistic):
    ranks = rank_probabilities(*belief, optimistic=optimistic)
    assert (ranks >= 0).all()
    assert ranks.sum(axis=0) == pytest.approx(np.ones(len(ranks)))
    assert ranks.sum(axis=1) == pytest.approx(np.ones(len(ranks)), abs=1e-4)


@settings(max_examples=30)
@given(beliefs(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_arms_does_not_matter(belief, random, optimistic):
    order = np.array(random.sample(range(len(belief[0])), len(belief[0])))
    ranks = rank_probabilities(belief[0][order], belief[1][order], optimistic=optimistic)
    assert ranks == pytest.approx(rank_probabilities(*belief, optimistic=optimistic)[order], abs=1e-6)


def test_who_is_second_is_what_is_seen_where_the_first_is_first():
    alpha, betas = beta((20, 80), (15, 85), (2, 8), (30, 170))
    draws = np.argsort(-np.random.default_rng(4).beta(alpha, betas, (400_000, 4)), axis=1)
    second = draws[draws[:, 0] == 1, 1]
    seen = np.bincount(second, minlength=4) / len(second)
    # More than 20,000 draws: .018 is five standard deviations, passed by chance once in 580,000 for each arm.
    assert len(second) > 20_000
    assert second_probabilities(alpha, betas, 1) == pytest.approx(seen, abs=0.018)


@given(beliefs().filter(lambda belief: len(belief[0]) > 1), st.data())
def test_the_first_is_never_second_and_somebody_is(belief, data):
    first = data.draw(st.integers(0, len(belief[0]) - 1))
    second = second_probabilities(*belief, first)
    assert second[first] == 0
    assert (second >= 0).all()
    assert second.sum() == pytest.approx(1)


def test_nobody_is_preferred_as_second_to_one_that_is_never_first():
    second = second_probabilities(*beta((1, 1e6), (9e5, 1e5), (8e5, 2e5)), 0)
    assert second.tolist() == [0, 0.5, 0.5]
