"""What may be read while it grows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from apps.algorithms.statistics import (
    Counts,
    RatioSample,
    Sample,
    always_valid,
    always_valid_by_plan,
    group_sequential_bounds,
)

COUNTS = st.integers(2, 5000).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n)))


def test_the_interval_is_that_of_the_paper():
    """Worked by hand: p 0.1 and 0.12 of 1,000 units each."""
    found = always_valid(Counts(100, 1000), Counts(120, 1000), alpha=0.05, tuning=5000)
    rho2 = (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 5000
    sd2 = 2000 * (0.1 * 0.9 / 1000 + 0.12 * 0.88 / 1000)
    grown = 2000 * rho2 + 1
    half = math.sqrt(sd2 * 2 * grown / (2000**2 * rho2) * math.log(math.sqrt(grown) / 0.05))
    assert found.estimate == pytest.approx(0.02)
    assert found.ci == pytest.approx((0.02 - half, 0.02 + half))
    assert found.rel_lift == pytest.approx(0.2)


@given(control=COUNTS, treatment=COUNTS, alpha=st.floats(0.001, 0.5))
def test_0_is_outside_the_interval_exactly_where_p_is_below_alpha(control, treatment, alpha):
    # The p is taken at the rho of its own alpha: one and the same only there.
    found = always_valid(control, treatment, alpha)
    if found.status == "ok":
        is_outside = not found.ci[0] <= 0 <= found.ci[1]
        assert is_outside == (found.p_value < alpha) or found.p_value == pytest.approx(alpha)
        assert found.ci[0] <= found.estimate <= found.ci[1]
        assert 0 <= found.p_value <= 1


@given(control=COUNTS, treatment=COUNTS)
def test_both_groups_are_treated_alike(control, treatment):
    one, other = always_valid(control, treatment), always_valid(treatment, control)
    assert one.status == other.status
    assert one.p_value == pytest.approx(other.p_value)
    if one.status == "ok":
        assert one.ci == pytest.approx((-other.ci[1], -other.ci[0]))


@pytest.mark.parametrize(
    ("control", "treatment"),
    [
        (Counts(0, 0), Counts(3, 10)),
        (Counts(0, 10), Counts(0, 10)),
        (Sample(5, 5, 5), Sample(5, 5, 5)),
        (RatioSample(3, 0, 0, 0, 0, 0), RatioSample(3, 1, 1, 5, 9, 2)),
    ],
)
def test_where_nothing_is_known_p_is_1(control, treatment):
    found = always_valid(control, treatment)
    assert (found.p_value, found.ci, found.status) == (1.0, None, "insufficient_data")


def test_without_a_baseline_no_relative_effect_is_known():
    found = always_valid(Counts(0, 100), Counts(9, 100), relative=True)
    assert (found.estimate, found.p_value, found.status) == (None, 1.0, "insufficient_data")
    assert always_valid(Counts(0, 100), Counts(9, 100)).status == "ok"


def test_the_relative_effect_is_the_lift():
    found = always_valid(Counts(400, 4000), Counts(480, 4000), relative=True)
    assert found.estimate == pytest.approx(0.2)
    assert found.ci == pytest.approx(found.rel_ci)


@given(control=COUNTS, treatment=COUNTS)
def test_of_the_lift_0_is_told_apart_exactly_where_it_is_of_the_difference(control, treatment):
    plain, lift = always_valid(control, treatment), always_valid(control, treatment, relative=True)
    if lift.status == "ok":
        assert lift.p_value == plain.p_value
    # A treatment that never varied has another variance for its lift.
    if lift.status == "ok" and 0 < treatment.successes < treatment.n:
        assert lift.ci[0] <= lift.estimate <= lift.ci[1]
        is_outside = not plain.ci[0] <= 0 <= plain.ci[1]
        assert is_outside == (not lift.ci[0] <= 0 <= lift.ci[1]) or lift.p_value == pytest.approx(0.05)


def test_a_lift_s_interval_holds_the_ratios_that_the_same_width_allows():
    control, treatment = Counts(400, 4000), Counts(480, 4000)
    found, plain = always_valid(control, treatment, relative=True), always_valid(control, treatment)
    width = (plain.ci[1] - plain.estimate) / math.sqrt((0.1 * 0.9 + 0.12 * 0.88) / 4000)
    for end in found.ci:
        error = math.sqrt((0.12 * 0.88 + (1 + end) ** 2 * 0.1 * 0.9) / 4000)
        assert abs(0.12 - (1 + end) * 0.1) == pytest.approx(width * error)


def test_a_lift_of_few_successes_alarms_no_more_often_than_alpha():
    """300 tests of nothing at 3 %, 30 looks: more than 8.7 % would be a chance of 1 in 200 even at 5 %."""
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(300):
        days = rng.binomial(20, 0.03, (30, 2)).cumsum(axis=0).tolist()
        alarms += any(
            always_valid(Counts(one, 20 * day), Counts(two, 20 * day), tuning=800, relative=True).p_value
            < 0.05
            for day, (one, two) in enumerate(days, start=1)
        )
    assert alarms / 300 <= 0.087


def test_a_treatment_that_lost_every_success_is_told_but_not_to_the_last_digit():
    found = always_valid(Counts(100, 1000), Counts(0, 1000), relative=True)
    assert (found.estimate, found.status) == (-1, "ok")
    assert found.ci[0] < -1 < found.ci[1] < 0
    few = always_valid(Counts(3, 1000), Counts(9, 1000), relative=True)
    assert (few.p_value, few.ci, few.status) == (1.0, None, "insufficient_data")


def test_the_interval_is_tightest_for_its_size_where_it_was_tuned():
    """Beside intervals tuned elsewhere, at 5,000 units in all."""
    groups = Counts(250, 2500), Counts(260, 2500)
    widths = {tuning: np.diff(always_valid(*groups, tuning=tuning).ci)[0] for tuning in (500, 5000, 50_000)}
    assert widths[5000] < min(widths[500], widths[50_000])


def test_looking_every_day_alarms_no_more_often_than_alpha():
    """600 tests of nothing, 30 looks each: more than 7.5 % would be a chance of 1 in 200 even at 5 %."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(600):
        days = rng.binomial(200, 0.1, (30, 2)).cumsum(axis=0)
        alarms += any(
            always_valid(Counts(one, 200 * (day + 1)), Counts(two, 200 * (day + 1))).p_value < 0.05
            for day, (one, two) in enumerate(days.tolist())
        )
    assert alarms / 600 <= 0.075


def test_a_tuning_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^tuning must lie above 0, not at 0$"):
        always_valid(Counts(1, 10), Counts(2, 10), tuning=0)


# --- At any time, by a plan -----------------------------------------------------------------------


def test_the_mixture_is_that_of_two_normals_about_what_a_plan_finds():
    """By quadrature, at three quarters of the plan: 3.0 standard errors of 3,000 units."""
    found = always_valid_by_plan(Counts(150, 1500), Counts(195, 1500), planned=4000)
    z = 0.03 / math.sqrt((0.1 * 0.9 + 0.13 * 0.87) / 1500)
    far = math.sqrt(2 * math.log(2 / 0.05))
    effects = np.linspace(-12, 12, 200_001)
    prior = (stats.norm.pdf(effects, far) + stats.norm.pdf(effects, -far)) / 2
    e_value = np.trapezoid(prior * np.exp(effects * z - effects**2 / 2), effects)
    assert found.p_value == pytest.approx(1 / e_value)
    assert found.estimate == pytest.approx(0.03)


@given(control=COUNTS, treatment=COUNTS, alpha=st.floats(0.001, 0.5), planned=st.floats(1, 1e9))
def test_by_a_plan_p_and_interval_agree_and_groups_are_treated_alike(control, treatment, alpha, planned):
    found = always_valid_by_plan(control, treatment, planned=planned, alpha=alpha)
    back = always_valid_by_plan(treatment, control, planned=planned, alpha=alpha)
    assert found.p_value == pytest.approx(back.p_value)
    if found.status == "ok":
        is_outside = not found.ci[0] <= 0 <= found.ci[1]
        assert is_outside == (found.p_value < alpha) or found.p_value == pytest.approx(alpha)
        assert found.ci == pytest.approx((-back.ci[1], -back.ci[0]))


def first_told(rng, lift, tests):
    """Shares of tests told by plan, and by the best tuning: 10 %, 30 looks at 200 units a group."""
    n = 200 * np.arange(1, 31)
    told = []
    for _ in range(tests):
        groups = [rng.binomial(200, rate, 30).cumsum() for rate in (0.1, 0.1 * (1 + lift))]
        looks = [
            tuple(map(Counts, sums, (n[day],) * 2)) for day, sums in enumerate(zip(*groups, strict=True))
        ]
        by_plan = any(always_valid_by_plan(*look, planned=12_000).p_value < 0.05 for look in looks)
        told.append((by_plan, any(always_valid(*look, tuning=8000).p_value < 0.05 for look in looks)))
    return np.mean(told, axis=0)


def test_by_a_plan_looking_every_day_alarms_no_more_often_than_alpha():
    """400 tests of nothing: more than 8 % would be a chance of 1 in 200 even at 5 %."""
    assert first_told(np.random.default_rng(4), 0.0, 400)[0] <= 0.08


def test_by_a_plan_more_is_found_than_by_any_tuning():
    """400 tests of +15 %, of which 52 and 45 % are found: less than 45 % would be a chance of 1 in 400."""
    by_plan, tuned = first_told(np.random.default_rng(5), 0.15, 400)
    assert by_plan >= 0.45
    assert by_plan > tuned


def test_a_plan_of_nothing_is_refused_and_nothing_known_is_said():
    for planned in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"^planned units must lie above 0, not at "):
            always_valid_by_plan(Counts(1, 10), Counts(2, 10), planned=planned)
    found = always_valid_by_plan(Counts(0, 0), Counts(3, 10), planned=100)
    assert (found.p_value, found.ci, found.status) == (1.0, None, "insufficient_data")


# --- Looks that were planned -----------------------------------------------------------------------


def test_one_look_at_the_end_is_the_plain_test():
    assert group_sequential_bounds([1.0]) == pytest.approx([stats.norm.ppf(0.975)])


def test_two_looks_are_what_a_bivariate_normal_says():
    first, second = group_sequential_bounds([0.5, 1.0], alpha=0.05)
    assert 2 * stats.norm.sf(first) == pytest.approx(0.05 / 8, abs=1e-9)
    root = math.sqrt(0.5)
    both = stats.multivariate_normal(cov=[[1, root], [root, 1]])
    inside = both.cdf([first, second], lower_limit=[-first, -second])
    assert 1 - inside == pytest.approx(0.05, abs=1e-5)


def test_five_looks_spend_alpha_together():
    """A million walks: an error of .0008 would be nearly four standard deviations."""
    fractions = [0.2, 0.4, 0.6, 0.8, 1.0]
    bounds = group_sequential_bounds(fractions)
    assert bounds == sorted(bounds, reverse=True)
    rng = np.random.default_rng(2)
    steps = rng.normal(size=(1_000_000, 5)) * math.sqrt(0.2)
    z = steps.cumsum(axis=1) / np.sqrt(fractions)
    left = (np.abs(z) >= bounds).cumsum(axis=1) > 0
    for look, fraction in enumerate(fractions):
        assert left[:, look].mean() == pytest.approx(0.05 * fraction**3, abs=8e-4)


def test_looks_of_every_day_spend_alpha_together_too():
    """300,000 walks: an error of .0016 would be four standard deviations."""
    bounds = np.array(group_sequential_bounds([(day + 1) / 30 for day in range(30)]))
    rng = np.random.default_rng(3)
    walks = rng.normal(size=(300_000, 30)).cumsum(axis=1)
    left = np.abs(walks) >= bounds * np.sqrt(np.arange(1, 31))
    assert left.any(axis=1).mean() == pytest.approx(0.05, abs=1.6e-3)
    assert left[:, :15].any(axis=1).mean() == pytest.approx(0.05 / 8, abs=6e-4)


def test_beyond_the_plan_nothing_is_left_to_spend():
    bounds = group_sequential_bounds([0.5, 1.2, 1.4])
    assert bounds[0] > bounds[1] > 1.9
    assert bounds[2] == math.inf


def test_an_end_with_fewer_units_than_planned_spends_what_is_left_and_no_more():
    """200,000 walks that end at .8 of the plan, told as 1: 5.2 % would be four standard deviations."""
    bounds = np.array(group_sequential_bounds([0.3, 0.6, 1.0]))
    steps = np.random.default_rng(7).normal(size=(200_000, 3)) * np.sqrt([0.3, 0.3, 0.2])
    z = steps.cumsum(axis=1) / np.sqrt([0.3, 0.6, 0.8])
    assert 0.04 < (np.abs(z) >= bounds).any(axis=1).mean() <= 0.052


@pytest.mark.parametrize("fractions", [[0.0, 1.0], [-0.1], [0.5, 0.5], [0.8, 0.3], [math.nan]])
def test_fractions_that_do_not_rise_are_refused(fractions):
    with pytest.raises(ValueError, match=r"^information fractions must lie above 0 and rise"):
        group_sequential_bounds(fractions)


def test_no_look_has_no_bound():
    assert group_sequential_bounds([]) == []


def test_looks_that_add_next_to_nothing_spend_nothing_and_change_no_other_bound():
    whole = group_sequential_bounds([0.3, 0.6, 1.0])
    trickle = [0.6 + 1e-5 * number for number in range(1, 27)]
    found = group_sequential_bounds([0.3, 0.6, *trickle, 1.0])
    assert found[2:-1] == [math.inf] * 26
    assert [found[0], found[1], found[-1]] == pytest.approx(whole)


def test_an_end_that_adds_next_to_nothing_spends_what_is_left():
    early, late = group_sequential_bounds([0.9999, 1.0])
    assert early == pytest.approx(1.96, abs=0.01)
    assert 2 < late < math.inf
