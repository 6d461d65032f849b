"""Known answers from textbooks and SciPy, and what holds of any numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from apps.algorithms.statistics import (
    Counts,
    PairedSample,
    RatioSample,
    Sample,
    always_valid,
    chi_square,
    cuped,
    ratio,
    welch,
)

VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=40)


def sample(values):
    values = np.asarray(values, dtype=float)
    return Sample(len(values), values.sum(), (values**2).sum())


def paired(post, pre):
    post, pre = np.asarray(post, dtype=float), np.asarray(pre, dtype=float)
    return PairedSample(len(post), post.sum(), (post**2).sum(), pre.sum(), (pre**2).sum(), (post * pre).sum())


def ratios(num, den):
    num, den = np.asarray(num, dtype=float), np.asarray(den, dtype=float)
    return RatioSample(len(num), num.sum(), (num**2).sum(), den.sum(), (den**2).sum(), (num * den).sum())


# --- Chi-square ------------------------------------------------------------------------------------


def test_chi_square_is_pearsons_without_a_correction():
    found = chi_square([Counts(120, 1000), Counts(150, 1000)])
    known = stats.chi2_contingency([[120, 880], [150, 850]], correction=False)
    assert found.chi2 == pytest.approx(known.statistic)
    assert found.p_value == pytest.approx(known.pvalue)
    assert (found.dof, found.status) == (1, "ok")
    assert found.abs_diff == pytest.approx(0.03)
    assert found.rel_lift == pytest.approx(0.25)


def test_chi_square_takes_any_number_of_groups():
    found = chi_square([Counts(10, 100), Counts(20, 110), Counts(31, 120)])
    known = stats.chi2_contingency([[10, 20, 31], [90, 90, 89]], correction=False)
    assert (found.chi2, found.p_value, found.dof) == pytest.approx((known.statistic, known.pvalue, 2))
    assert (found.abs_diff, found.rel_lift) == (None, None)


@pytest.mark.parametrize(
    "groups",
    [
        [Counts(0, 50), Counts(0, 60)],
        [Counts(50, 50), Counts(60, 60)],
        [Counts(0, 0), Counts(3, 60)],
    ],
)
def test_chi_square_of_nothing_known_says_so(groups):
    found = chi_square(groups)
    assert (found.p_value, found.chi2, found.status) == (None, None, "insufficient_data")


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ([Counts(1, 2)], "a comparison needs at least two groups"),
        ([Counts(3, 2), Counts(1, 2)], "3 successes of 2 units cannot be"),
        ([Counts(-1, 2), Counts(1, 2)], "-1 successes of 2 units cannot be"),
    ],
)
def test_chi_square_refuses_what_cannot_be(groups, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        chi_square(groups)


# --- Means -----------------------------------------------------------------------------------------


def test_welch_is_scipys():
    rng = np.random.default_rng(1)
    control, treatment = rng.normal(10, 2, 50), rng.normal(11, 5, 80)
    found = welch(sample(control), sample(treatment))
    known = stats.ttest_ind(treatment, control, equal_var=False)
    interval = known.confidence_interval()
    assert found.p_value == pytest.approx(known.pvalue)
    assert found.df == pytest.approx(known.df)
    assert found.ci == pytest.approx((interval.low, interval.high))
    assert found.estimate == pytest.approx(treatment.mean() - control.mean())
    assert found.rel_lift == pytest.approx(treatment.mean() / control.mean() - 1)
    assert found.rel_ci[0] < found.rel_lift < found.rel_ci[1]


def test_the_relative_interval_covers_as_often_as_it_says():
    """2,000 pairs of samples; 93.5 to 96.5 % is passed by chance all but once in 500."""
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(2000):
        found = welch(sample(rng.normal(10, 3, 200)), sample(rng.normal(11, 3, 200)))
        inside += found.rel_ci[0] < 0.1 < found.rel_ci[1]
    assert 0.935 < inside / 2000 < 0.965


@pytest.mark.parametrize(
    ("control", "treatment"),
    [([], [1, 2]), ([1], [1, 2]), ([3, 3, 3], [3, 3]), ([0.1] * 7, [0.1] * 9)],
)
def test_welch_of_no_units_or_no_variance_says_so(control, treatment):
    found = welch(sample(control), sample(treatment))
    assert (found.p_value, found.ci, found.rel_ci, found.status) == (None, None, None, "insufficient_data")


def test_without_a_baseline_there_is_no_relative_effect_but_an_absolute_one():
    found = welch(sample([-1, 1, 0]), sample([1, 2, 3]))
    assert (found.rel_lift, found.rel_ci, found.status) == (None, None, "ok")
    assert found.p_value < 0.1


@given(control=VALUES, treatment=VALUES)
def test_welch_treats_both_groups_alike_and_holds_its_own_estimate(control, treatment):
    one, other = welch(sample(control), sample(treatment)), welch(sample(treatment), sample(control))
    assert one.status == other.status
    if one.status == "ok":
        assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
        assert one.estimate == -other.estimate
        assert one.ci[0] <= one.estimate <= one.ci[1]
        assert 0 <= one.p_value <= 1


@given(control=VALUES, treatment=VALUES, scale=st.floats(0.01, 100))
def test_in_another_unit_the_p_is_the_same_and_the_estimate_in_that_unit(control, treatment, scale):
    one = welch(sample(control), sample(treatment))
    other = welch(sample(np.multiply(control, scale)), sample(np.multiply(treatment, scale)))
    if one.status == other.status == "ok" and one.p_value > 1e-9:
        assert other.p_value == pytest.approx(one.p_value, rel=1e-3, abs=1e-9)
        assert other.estimate == pytest.approx(one.estimate * scale, rel=1e-6, abs=1e-9)


# --- Ratios ----------------------------------------------------------------------------------------


def test_a_ratio_with_one_film_a_unit_is_a_mean():
    rng = np.random.default_rng(3)
    control, treatment = rng.integers(0, 2, 400), rng.integers(0, 2, 300)
    found = ratio(ratios(control, np.ones(400)), ratios(treatment, np.ones(300)))
    known = welch(sample(control), sample(treatment))
    assert found.estimate == pytest.approx(known.estimate)
    assert found.p_value == pytest.approx(known.p_value, abs=2e-3), "normal and not Student's"
    assert found.df is None


def test_units_that_are_shown_many_films_do_not_make_it_sure():
    """2,000 pairs without an effect; of 5 % false alarms 3.5 to 6.5 % are passed but once in 500."""
    rng = np.random.default_rng(4)
    alarms = naive = 0
    for _ in range(2000):
        groups = []
        for _ in range(2):
            den = rng.integers(1, 60, 300)
            groups.append((rng.binomial(den, rng.beta(1, 9, 300)), den))
        found = ratio(*(ratios(num, den) for num, den in groups))
        alarms += found.p_value < 0.05
        naive += chi_square([Counts(num.sum(), den.sum()) for num, den in groups]).p_value < 0.05
    assert 0.035 < alarms / 2000 < 0.065
    assert naive / 2000 > 0.3, "as the test that takes films for units does"


def test_a_ratio_of_nothing_shown_says_so():
    nothing = ratios([0, 0], [0, 0])
    assert ratio(nothing, ratios([1, 0], [2, 2])).status == "insufficient_data"
    assert ratio(ratios([2, 2], [2, 2]), ratios([3, 3], [3, 3])).status == "insufficient_data"


def test_units_of_one_ratio_have_no_variance_whatever_rounding_leaves():
    same = ratios([1, 2, 3], [10, 20, 30])
    assert ratio(same, ratios([2, 4, 6], [10, 20, 30])).status == "insufficient_data"
    assert ratio(same, ratios([0.2, 0.4, 0.6], [2, 4, 6])).p_value is None


def test_a_treatment_without_success_is_not_sure_of_its_lift():
    found = ratio(ratios([1, 0, 1, 0], [2, 2, 2, 2]), ratios([0, 0, 0, 0], [2, 2, 2, 2]))
    assert found.rel_lift == -1
    assert found.rel_ci[0] < -1 < found.rel_ci[1]


# --- CUPED -----------------------------------------------------------------------------------------


def history(rng, n, lift=0.0):
    pre = rng.gamma(2, 3, n)
    return paired(0.8 * pre + rng.normal(2 + lift, 1, n), pre)


def test_the_time_before_takes_its_part_of_the_variance():
    rng = np.random.default_rng(5)
    control, treatment = history(rng, 4000), history(rng, 4000, lift=0.1)
    found = cuped(control, treatment)
    plain = welch(
        Sample(control.n, control.post_sum, control.post_sum_squares),
        Sample(treatment.n, treatment.post_sum, treatment.post_sum_squares),
    )
    assert found.theta == pytest.approx(0.8, abs=0.02)
    # 0.8^2 * 18 of 0.8^2 * 18 + 1.
    assert found.variance_reduction == pytest.approx(11.52 / 12.52, abs=0.02)
    assert found.p_value < 1e-3 < plain.p_value
    assert found.ci[0] < 0.1 < found.ci[1]


def test_theta_is_that_of_least_squares_within_both_groups():
    rng = np.random.default_rng(6)
    pre = [rng.normal(size=30), rng.normal(2, 1, 40)]
    post = [pre[0] + rng.normal(size=30), 3 + pre[1] + rng.normal(size=40)]
    found = cuped(paired(post[0], pre[0]), paired(post[1], pre[1]))
    centred = [np.concatenate([values - values.mean() for values in both]) for both in (pre, post)]
    theta = (centred[0] @ centred[1]) / (centred[0] @ centred[0])
    assert found.theta == pytest.approx(theta)
    expected = (post[1].mean() - post[0].mean()) - theta * (pre[1].mean() - pre[0].mean())
    assert found.estimate == pytest.approx(expected)


def test_without_a_time_before_it_is_welch():
    rng = np.random.default_rng(7)
    values = [rng.normal(size=50), rng.normal(size=60)]
    found = cuped(*(paired(one, np.zeros(len(one))) for one in values))
    known = welch(*(sample(one) for one in values))
    assert (found.theta, found.variance_reduction) == (0, 0)
    assert (found.estimate, found.p_value, found.ci) == (
        pytest.approx(known.estimate),
        pytest.approx(known.p_value),
        pytest.approx(known.ci),
    )


def test_a_time_before_that_was_the_same_for_all_explains_nothing():
    """Seven times .1 has, by rounding, a variance of 1e-17."""
    rng = np.random.default_rng(8)
    found = cuped(*(paired(rng.normal(1e4, 1e3, 7), [0.1] * 7) for _ in range(2)))
    assert (found.theta, found.variance_reduction) == (0, 0)


def test_cuped_of_one_unit_says_so():
    found = cuped(paired([1], [1]), paired([1, 2], [1, 3]))
    assert (found.status, found.theta, found.variance_reduction) == ("insufficient_data", None, None)


# --- Whatever comes, never NaN ---------------------------------------------------------------------

NUMBERS = st.floats(0, 1e6)


@given(n=st.integers(0, 1000), total=NUMBERS, more=st.integers(0, 1000), alpha=st.floats(0.001, 0.999))
def test_no_figure_is_ever_nan(n, total, more, alpha):
    counts = Counts(min(total, n), n), Counts(0, more)
    values = Sample(n, total, total * total / max(n, 1)), Sample(more, 0.0, 0.0)
    for effect in (
        always_valid(*counts, alpha),
        always_valid(*values, alpha, relative=True),
        welch(*values, alpha),
        ratio(RatioSample(n, 0, 0, total, total**2, 0), RatioSample(more, 0, 0, more, more, 0), alpha),
    ):
        for figure in (effect.estimate, effect.p_value, *(effect.ci or ()), *(effect.rel_ci or ())):
            assert figure is None or math.isfinite(figure)
        assert effect.status == "insufficient_data" or 0 <= effect.p_value <= 1


def test_an_alpha_outside_0_to_1_is_refused():
    for alpha in (0, 1, -0.1, math.nan):
        with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
            welch(sample([1, 2]), sample([1, 3]), alpha)


def test_results_are_frozen():
    found = welch(sample([1, 2]), sample([1, 3]))
    with pytest.raises(AttributeError):
        found.p_value = 0.01
    assert replace(found, p_value=0.5).p_value == 0.5


@pytest.mark.parametrize("test", [welch, always_valid])
def test_sums_whose_squares_no_float_holds_are_refused(test):
    with pytest.raises(ValueError, match=r"^a sum must lie between -1e\+100 and 1e\+100, not at 1e\+150$"):
        test(Sample(10, 1e150, 1.0), Sample(10, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"not at inf$"):
        test(Sample(10, 1.0, 1.0), Sample(10, 1.0, float("inf")))
