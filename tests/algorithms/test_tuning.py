"""Successive halving: known answers, and what holds whatever is measured."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.tuning import (
    Found,
    Round,
    halve,
    n_affordable,
    rung_shares,
    rung_sizes,
    search,
    two_rounds,
)


def test_nine_are_measured_then_three_then_one() -> None:
    """And what began is in every rung, though it is the worst."""
    asked: list[tuple[int, int]] = []

    def measure(one: int, rung: int) -> float:
        asked.append((rung, one))
        return float(one)

    found = halve(10, measure, n_rungs=3)
    assert asked == [*((0, one) for one in range(10)), (1, 0), (1, 9), (1, 8), (1, 7), (2, 0), (2, 9)]
    assert found.best == 9


def test_a_later_rung_decides() -> None:
    values = {0: [0.1, 0.1], 1: [0.5, 0.2], 2: [0.4, 0.3], 3: [0.3, 0.9], 4: [0.2, 0.9]}
    found = halve(5, lambda one, rung: values[one][rung], n_rungs=2, eta=2)
    assert found.rungs[1] == {0: 0.1, 1: 0.2, 2: 0.3}  # 3 and 4 fell before they could shine
    assert found.best == 2


def test_equal_values_fall_by_number() -> None:
    found = halve(6, lambda one, rung: 1.0, n_rungs=2, eta=2, kept=(0,))
    assert (sorted(found.rungs[1]), found.best) == ([0, 1, 2, 3], 0)


def test_what_cannot_be_measured_drops_out() -> None:
    found = halve(4, lambda one, rung: None if one == 3 else float(one), n_rungs=2)
    assert (set(found.rungs[0]), found.best) == ({0, 1, 2}, 2)


def test_shares_go_down_to_the_least_people() -> None:
    assert rung_shares(199, least=100) == (1.0,)
    assert rung_shares(648, least=200) == pytest.approx((1 / 3, 1.0))
    assert rung_shares(1800, least=200) == pytest.approx((1 / 9, 1 / 3, 1.0))


def test_each_rung_takes_a_part_of_the_one_before() -> None:
    assert rung_sizes(27, 4) == (27, 9, 3, 1)
    assert rung_sizes(10, 3) == (10, 4, 2)


def test_says_how_many_a_budget_pays_for() -> None:
    # Nine cost 9 * 1 + 3 * 2, ten 10 * 1 + 4 * 2.
    assert n_affordable(15, [1, 2], most=50) == 9
    assert n_affordable(17.9, [1, 2], most=50) == 9
    assert n_affordable(18, [1, 2], most=50) == 10
    assert n_affordable(1000, [1, 2], most=50) == 50
    assert n_affordable(0, [1, 2], most=50) == 1


@given(
    st.integers(2, 60),
    st.integers(1, 4),
    st.integers(2, 4),
    st.integers(0, 2**32 - 1),
)
def test_the_answer_is_the_best_of_the_last_rung_and_no_worse_than_what_began(
    n: int, n_rungs: int, eta: int, seed: int
) -> None:
    values = np.random.default_rng(seed).random((n, n_rungs)).round(1)
    found = halve(n, lambda one, rung: float(values[one, rung]), n_rungs=n_rungs, eta=eta)
    last = found.rungs[-1]
    assert last[found.best] == max(last.values()) >= last[0]
    assert tuple(len(rung) - 1 for rung in found.rungs) == rung_sizes(n - 1, n_rungs, eta)
    # Whoever is left out of a rung was no better in the one before than any that went on.
    for before, after in zip(found.rungs, found.rungs[1:], strict=False):
        assert after.keys() <= before.keys()
        left = [before[one] for one in before.keys() - after.keys()]
        went_on = [before[one] for one in after.keys() - {0}]
        assert not left or not went_on or max(left) <= min(went_on)


@given(st.integers(1, 30), st.integers(1, 3), st.integers(0, 1000))
def test_without_noise_the_search_finds_the_best_that_it_drew(n: int, n_rungs: int, seed: int) -> None:
    found = searched(n, n_rungs, seed)
    assert found.best.values[-1] == max(trial.values[0] for trial in found.trials)
    assert len(found.trials) == n + 1


def test_the_search_measures_nothing_twice() -> None:
    asked: Counter[tuple[float, int]] = Counter()
    searched(20, 3, seed=4, asked=asked)
    assert set(asked.values()) == {1}


def test_the_same_seed_finds_the_same() -> None:
    assert searched(15, 2, seed=8) == searched(15, 2, seed=8)
    assert searched(15, 2, seed=8) != searched(15, 2, seed=9)


def test_the_second_round_is_closer_around_the_best_of_the_first() -> None:
    drawn: list[tuple[float, float]] = []

    def draw(centre: float, factor: float) -> float:
        drawn.append((centre, factor))
        return centre + len(drawn)

    search(0.0, draw, lambda value, rung: value, two_rounds(5), n_rungs=1)
    assert drawn == [(0.0, 4.0), (0.0, 4.0), (0.0, 4.0), (3.0, 1.5), (3.0, 1.5)]


def test_a_round_is_asked_for_when_the_one_before_has_ended() -> None:
    measured: list[float] = []

    def measure(value: float, rung: int) -> float:
        measured.append(value)
        return value

    def rounds() -> Iterator[Round]:
        yield Round(2, is_wide=True)
        assert measured == [0.0, 1.0, 1.0]
        yield Round(1, is_wide=False)

    found = search(0.0, lambda centre, factor: centre + 1, measure, rounds(), n_rungs=1)
    assert [trial.configuration for trial in found.trials] == [0.0, 1.0, 1.0, 2.0]
    assert found.best is found.trials[-1]


def test_without_a_round_nothing_is_found() -> None:
    found = search(1.0, lambda centre, factor: 2.0, lambda value, rung: value, [], n_rungs=3)
    assert (found.best, found.best.values) == (found.trials[0], (1.0, 1.0, 1.0))


def searched(
    n_trials: int, n_rungs: int, seed: int, asked: Counter[tuple[float, int]] | None = None
) -> Found[float]:
    rng = np.random.default_rng(seed)

    def measure(value: float, rung: int) -> float:
        if asked is not None:
            asked[value, rung] += 1
        return -abs(value - 3.0)

    return search(
        1.0,
        lambda centre, factor: centre * factor ** rng.uniform(-1, 1),
        measure,
        two_rounds(n_trials),
        n_rungs=n_rungs,
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: rung_shares(10, least=0), "least must be at least 1, not 0"),
        (lambda: rung_shares(10, least=1, eta=1), "eta must be at least 2, not 1"),
        (lambda: rung_sizes(0, 1), "a search needs a configuration and a rung, not 0 and 1"),
        (
            lambda: halve(3, lambda one, rung: 0.0, n_rungs=1, kept=()),
            "kept must be some of the configurations 0 to 2, not []",
        ),
        (
            lambda: halve(3, lambda one, rung: 0.0, n_rungs=1, kept=(3,)),
            "kept must be some of the configurations 0 to 2, not [3]",
        ),
        (
            lambda: halve(3, lambda one, rung: None, n_rungs=1),
            "configuration 0 is kept, and cannot be measured",
        ),
    ],
)
def test_refuses_with_a_sentence(call: object, sentence: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        call()
