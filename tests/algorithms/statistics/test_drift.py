"""The population stability index: known answers, what holds of any counts, and how often it cries wolf."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from apps.algorithms.statistics import DRIFTED, design_effect, psi

COUNT = st.integers(0, 10_000)
PAIRS = st.lists(st.tuples(COUNT, COUNT), min_size=1, max_size=20)
FULL = st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)), min_size=1, max_size=20)
STARS = np.array([1, 3, 2, 7, 4, 20, 11, 29, 8, 15]) / 100


def sides(pairs):
    return [list(side) for side in zip(*pairs, strict=True)]


def test_two_bins_by_hand():
    """(.3 - .5) ln(.3/.5) + (.7 - .5) ln(.7/.5) = .2 ln(7/3)."""
    found = psi([500, 500], [300, 700])
    assert found.psi == pytest.approx(0.2 * math.log(7 / 3)) == pytest.approx(0.169460, abs=1e-6)
    assert found.on_nothing == pytest.approx(0.002)
    assert found.by_chance == pytest.approx(0.002 * 10.827566)
    assert found.excess == pytest.approx(found.psi - 0.002)
    assert (found.n_expected, found.n_actual, found.status) == (1000, 1000, "ok")


def test_three_bins_by_hand():
    """Shares of .2 .3 .5 and .1 .3 .6: -.1 ln .5 + .1 ln 1.2."""
    known = 0.1 * math.log(2) + 0.1 * math.log(1.2)
    assert psi([200, 300, 500], [100, 300, 600]).psi == pytest.approx(known)


def test_a_bin_that_one_side_has_empty_counts_half_a_unit_there():
    """50, 50 against 100, 0: shares of the second are 100 and .5 of 100.5."""
    share = 100 / 100.5
    known = (share - 0.5) * math.log(share / 0.5) + (0.5 - share) * math.log((1 - share) / 0.5)
    assert psi([50, 50], [100, 0]).psi == pytest.approx(known)


def test_a_bin_that_both_have_empty_is_none():
    with_it, without = psi([30, 0, 70], [50, 0, 50]), psi([30, 70], [50, 50])
    assert with_it == without


def test_a_single_bin_never_moves():
    assert psi([5, 0], [900, 0]).psi == psi([5, 0], [900, 0]).by_chance == 0


@given(pairs=PAIRS)
def test_it_is_the_same_from_either_side_and_never_below_0_nor_no_number(pairs):
    one, other = sides(pairs)
    found, back = psi(one, other), psi(other, one)
    assert found.status == back.status
    if found.psi is None:
        assert min(sum(one), sum(other)) == 0
    else:
        assert found.psi == pytest.approx(back.psi, abs=1e-12)
        assert 0 <= found.excess <= found.psi < math.inf
        assert math.isfinite(found.by_chance)


@given(counts=st.lists(st.integers(0, 1000), min_size=1, max_size=20), times=st.integers(1, 50))
def test_equal_shares_are_0(counts, times):
    assume(sum(counts))
    found = psi(counts, [times * count for count in counts])
    assert found.psi == pytest.approx(0, abs=1e-12)


@given(pairs=FULL, times=st.integers(1, 1000))
def test_without_empty_bins_only_shares_count(pairs, times):
    one, other = sides(pairs)
    scaled = psi(one, [times * count for count in other])
    assert scaled.psi == pytest.approx(psi(one, other).psi, abs=1e-9)


@given(pairs=FULL)
def test_the_order_of_the_bins_says_nothing(pairs):
    assert psi(*sides(pairs)).psi == pytest.approx(psi(*sides(pairs[::-1])).psi)


@pytest.mark.parametrize(
    ("expected", "actual", "status"),
    [
        ([0, 0], [3, 4], "insufficient_data"),
        ([3, 4], [0, 0], "insufficient_data"),
        ([], [], "insufficient_data"),
        ([3, 4], [3, 4, 5], "different_bins"),
    ],
)
def test_where_nothing_can_be_said_a_status_says_so(expected, actual, status):
    found = psi(expected, actual)
    assert (found.psi, found.on_nothing, found.by_chance, found.status) == (None, None, None, status)
    assert found.excess is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: psi([1, -1], [1, 1]), "a bin must count at least 0, not -1"),
        (lambda: psi([1, 1], [1, math.nan]), "a bin must count at least 0, not nan"),
        (lambda: psi([1, math.inf], [1, 1]), "a bin must count at least 0, not inf"),
        (lambda: psi([1], [1], actual_effect=0.5), "design effects must be at least 1, not 1 and 0.5"),
    ],
)
def test_counts_that_cannot_be_are_refused(wrong, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        wrong()


# --- Small samples -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [(300, 300), (200, 100_000), (1000, 400)])
def test_on_nothing_it_is_what_it_says_on_average_and_exceeds_its_bound_as_seldom(n, m):
    """1,000 pairs: over ``by_chance`` more than 6 times would be a chance of 1 in 10,000 at 1 in 1,000."""
    rng = np.random.default_rng(1)
    found = [psi(rng.multinomial(m, STARS), rng.multinomial(n, STARS)) for _ in range(1000)]
    mean = np.mean([one.psi for one in found])
    # Rare bins make the expansion a few per cent short.
    assert mean == pytest.approx(found[0].on_nothing, rel=0.12)
    assert sum(one.psi > one.by_chance for one in found) <= 6


def test_few_never_read_as_drift():
    """30 ratings of the very same taste exceed .2 in most of 500 samples, and none of them can be read."""
    rng = np.random.default_rng(2)
    found = [psi(100_000 * STARS, rng.multinomial(30, STARS)) for _ in range(500)]
    assert np.mean([one.psi > DRIFTED for one in found]) > 0.5
    assert {one.status for one in found} == {"too_few"}


@pytest.mark.parametrize(("n_bins", "least"), [(2, 55), (5, 93), (10, 140), (20, 220)])
def test_how_many_are_enough_grows_with_the_bins(n_bins, least):
    many = [1e9] * n_bins
    assert psi(many, [(least - 1) / n_bins] * n_bins).status == "too_few"
    assert psi(many, [least / n_bins] * n_bins).status == "ok"
    assert least == math.ceil(stats.chi2.isf(0.001, n_bins - 1) / DRIFTED)


def test_what_is_enough_alarms_less_than_once_in_a_thousand_samples_of_nothing():
    """The least number that is enough, 2,000 times: more than 8 above .2 would be a chance of 1 in 4,000 at 1
    in 1,000. Less the bias they are rarer.
    """
    rng = np.random.default_rng(3)
    found = [psi(1e9 * STARS, rng.multinomial(140, STARS)) for _ in range(2000)]
    assert {one.status for one in found} == {"ok"}
    assert sum(one.psi > DRIFTED for one in found) <= 8
    assert sum(one.excess > DRIFTED for one in found) <= 1


def test_a_real_shift_is_told():
    moved = STARS[::-1]
    assert psi(1e5 * STARS, 200 * moved).psi > 3 * DRIFTED
    assert psi(1e5 * STARS, 200 * moved).status == "ok"


def test_what_one_person_does_many_times_counts_as_less():
    assert design_effect(100, 100) == 1
    assert design_effect(100, 1000) == pytest.approx(1 + 9 * 0.2)
    assert design_effect(100, 1000, correlation=1) == 10
    assert design_effect(0, 0) == 1


def test_a_design_effect_keeps_people_s_habits_from_reading_as_drift():
    """300 weeks of 40 people with 10 ratings each, every person with a taste of their own whose acts
    correlate by .15.

    More than 3 alarms would be a chance of 1 in 300 at 1 in 1,000; taken as independent ratings, what is
    thought to be once in 1,000 happens far more often.
    """
    rng = np.random.default_rng(4)
    strength = (1 - 0.15) / 0.15
    alarms = beyond = 0
    for _ in range(300):
        tastes = rng.dirichlet(strength * STARS, size=40)
        now = sum(rng.multinomial(10, taste) for taste in tastes)
        found = psi(1e6 * STARS, now, actual_effect=design_effect(400, 40 * 100))
        alarms += found.status == "ok" and found.psi > DRIFTED
        beyond += found.psi > psi(1e6 * STARS, now).by_chance
    assert alarms <= 3
    assert beyond > 30
