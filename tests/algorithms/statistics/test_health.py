"""Groups that are what they should be, units that are enough, several p-values, and chances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from apps.algorithms.statistics import Counts, adjust, chance_to_beat, power, sample_size, srm

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_groups_that_keep_to_their_weights_are_no_mismatch():
    found = srm([4980, 5020], [0.5, 0.5])
    known = stats.chisquare([4980, 5020])
    assert (found.chi2, found.p_value) == pytest.approx((known.statistic, known.pvalue))
    assert not found.mismatch


def test_groups_that_do_not_are_one():
    assert srm([5300, 4700], [1, 1]).mismatch
    assert srm([900, 9100], [0.1, 0.9]).p_value == pytest.approx(
        stats.chisquare([900, 9100], [1000, 9000]).pvalue
    )


def test_anybody_in_a_group_of_no_weight_is_an_alarm():
    found = srm([5000, 5000, 1], [0.5, 0.5, 0])
    assert (found.p_value, found.mismatch) == (0.0, True)
    assert not srm([5000, 5000, 0], [0.5, 0.5, 0]).mismatch


def test_nobody_yet_is_no_alarm():
    assert (srm([0, 0], [1, 1]).p_value, srm([0, 0], [1, 1]).mismatch) == (None, False)


@pytest.mark.parametrize(
    ("observed", "weights", "sentence"),
    [
        ([1, 2], [1], "2 groups and 1 weights do not go together"),
        ([1, 2], [1, -1], "weights must be at least 0, and one of them above"),
        ([0, 0], [0, 0], "weights must be at least 0, and one of them above"),
        ([-1, 2], [1, 1], "units seen must be at least 0"),
    ],
)
def test_a_ratio_that_cannot_be_is_refused(observed, weights, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        srm(observed, weights)


def test_the_sample_size_is_the_textbooks():
    """10 % and 12 %: 3,839 a group (Fleiss et al., table of unpooled sizes without correction)."""
    far = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert sample_size(0.10, 0.20) == int(np.ceil(far**2 * (0.09 + 0.1056) / 0.02**2)) == 3839


@given(
    baseline=st.floats(0.01, 0.6),
    mde=st.floats(0.02, 0.5),
    alpha=st.floats(0.01, 0.2),
    wanted=st.floats(0.5, 0.95),
)
def test_that_many_units_have_the_power_asked_for(baseline, mde, alpha, wanted):
    n = sample_size(baseline, mde, alpha, wanted)
    assert power(baseline, baseline * (1 + mde), n, alpha) >= wanted - 1e-9
    if n > 2:
        assert power(baseline, baseline * (1 + mde), n - 1, alpha) <= wanted + 0.05


def test_without_a_difference_the_power_is_alpha():
    assert power(0.1, 0.1, 1000) == pytest.approx(0.05)
    assert power(0.1, 0.2, 0) == 0
    assert (power(0, 0, 10), power(0, 1, 10)) == (0, 1)


@pytest.mark.parametrize(("baseline", "mde"), [(0.0, 0.1), (1.0, 0.1), (0.6, 0.8), (0.1, -1.0), (0.1, 0.0)])
def test_sizes_that_no_sample_has_are_refused(baseline, mde):
    with pytest.raises(ValueError, match=r"^both rates must lie between 0 and 1|^no number of units"):
        sample_size(baseline, mde)


def test_adjusted_as_the_papers_do():
    p_values = [0.01, 0.04, 0.03, 0.005]
    assert adjust(p_values) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust(p_values, "bonferroni") == pytest.approx([0.04, 0.16, 0.12, 0.02])
    assert adjust(p_values, "bh") == pytest.approx(stats.false_discovery_control(p_values).tolist())


@given(p_values=P_VALUES)
def test_adjusting_keeps_the_order_and_lowers_none(p_values):
    for method in ("holm", "bh", "bonferroni"):
        adjusted = adjust(p_values, method)
        assert all(before <= after <= 1 for before, after in zip(p_values, adjusted, strict=True))
        pairs = sorted(zip(p_values, adjusted, strict=True))
        assert [after for _, after in pairs] == sorted(adjusted)
    for one, two in zip(adjust(p_values, "holm"), adjust(p_values, "bonferroni"), strict=True):
        assert one <= two


def test_another_method_and_what_is_no_p_are_refused():
    with pytest.raises(ValueError, match=r"^the methods are holm, bh, bonferroni, not 'sidak'$"):
        adjust([0.1], "sidak")
    with pytest.raises(ValueError, match=r"^a p-value lies between 0 and 1, not at 1\.5$"):
        adjust([1.5])
    assert adjust([]) == []


def test_the_chance_to_beat_is_that_of_two_beta_distributions():
    found = chance_to_beat(Counts(30, 200), Counts(45, 210))
    control, treatment = stats.beta(31, 171), stats.beta(46, 166)
    known = integrate.quad(lambda x: treatment.pdf(x) * control.cdf(x), 0, 1, points=[0.15, 0.22])[0]
    loss = integrate.quad(lambda x: treatment.cdf(x) * control.sf(x), 0, 1, points=[0.15, 0.22])[0]
    assert found.chance_to_beat == pytest.approx(known, abs=1e-8)
    assert found.expected_loss == pytest.approx(loss, abs=1e-9)
    assert found.control_interval == pytest.approx(control.interval(0.95))
    assert found.treatment_interval == pytest.approx(treatment.interval(0.95))


@given(
    one=st.integers(1, 100_000).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n))),
    two=st.integers(1, 100_000).flatmap(lambda n: st.builds(Counts, st.integers(0, n), st.just(n))),
)
def test_one_of_two_is_the_better_one(one, two):
    found, back = chance_to_beat(one, two), chance_to_beat(two, one)
    assert found.chance_to_beat + back.chance_to_beat == pytest.approx(1, abs=1e-6)
    # What is lost one way less what is lost the other is the difference of the means.
    means = [(1 + counts.successes) / (2 + counts.n) for counts in (one, two)]
    assert found.expected_loss - back.expected_loss == pytest.approx(means[0] - means[1], abs=1e-6)


def test_of_nobody_no_chance_is_told_and_nonsense_is_refused():
    assert chance_to_beat(Counts(0, 0), Counts(1, 2)).status == "insufficient_data"
    with pytest.raises(ValueError, match=r"^3 successes of 2 units cannot be$"):
        chance_to_beat(Counts(3, 2), Counts(1, 2))
    with pytest.raises(ValueError, match=r"^both numbers of the prior must lie above 0$"):
        chance_to_beat(Counts(1, 2), Counts(1, 2), prior=(0, 1))


def test_what_no_float_tells_apart_is_refused_in_words():
    with pytest.raises(ValueError, match=r"^no number of units finds a change of nothing$"):
        sample_size(1e-300, -0.5)
    with pytest.raises(ValueError, match=r"^a weight is so small beside the others"):
        srm([5000, 5000], [1e-300, 1e300])
