"""What a metric's sums say: known answers, and what is read when."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from apps.algorithms.statistics import always_valid_quantile_shift
from apps.algorithms.statistics.latency import LatencyHistogram
from apps.experiments.comparing import Comparison, carrying, compare
from apps.experiments.figures import NOTHING, Parts
from apps.experiments.metrics import METRICS
from apps.experiments.reading import read_goals, read_guardrails
from tests.experiments.counts import binary, clicked, growing, looking, make_figures, make_plan, rated

THREE = {"control": 0.5, "one": 0.25, "two": 0.25}


def of_units(top: Any, bottom: Any = None, before: Any = None) -> Parts:
    """The sums of these units."""
    top = np.asarray(top, dtype=float)
    bottom = np.ones(len(top)) if bottom is None else np.asarray(bottom, dtype=float)
    pre = np.zeros(len(top)) if before is None else np.asarray(before, dtype=float)
    columns = (np.ones(len(top)), top, top**2, bottom, bottom**2, top * bottom, pre, pre**2, pre * top)
    return tuple(float(column.sum()) for column in columns)


def of(metric: str, control: Parts, treatment: Parts, alpha: float = 0.05, **values: Any) -> Comparison:
    return compare(METRICS[metric], "treatment", control, treatment, alpha=alpha, **values)


def test_a_binary_has_the_p_of_the_chi_square() -> None:
    found = of("clicked_units", binary(1000, 100), binary(1000, 140))
    known = stats.chi2_contingency([[100, 900], [140, 860]], correction=False)
    assert found.fixed.p_value == pytest.approx(known.pvalue, rel=1e-9)
    assert (found.control, found.treatment) == (0.1, 0.14)
    assert found.fixed.rel_lift == pytest.approx(0.4)
    assert (found.gain, found.harm) == (pytest.approx(0.04), pytest.approx(-0.4))


def test_a_mean_is_read_by_welch() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.poisson(2.0, 300), rng.poisson(2.4, 200)
    found = of("clicks_per_unit", of_units(one), of_units(two)).fixed
    known = stats.ttest_ind(two, one, equal_var=False)
    assert (found.p_value, found.df) == (pytest.approx(known.pvalue), pytest.approx(known.df))
    assert found.ci == pytest.approx(tuple(known.confidence_interval()))


def test_a_ratio_is_read_over_units_and_not_over_films() -> None:
    """By the delta method: the variance of clicks less the ratio times films, over the mean of films."""
    rng = np.random.default_rng(2)
    films = rng.integers(1, 60, 800).astype(float)
    clicks = rng.binomial(films.astype(int), rng.beta(1, 9, 800)).astype(float)
    half = slice(0, 400), slice(400, 800)
    found = of("ctr", *(of_units(clicks[part], films[part]) for part in half)).fixed
    ratios = [clicks[part].sum() / films[part].sum() for part in half]
    variance = sum(
        np.var(clicks[part] - ratio * films[part], ddof=1) / films[part].mean() ** 2 / 400
        for part, ratio in zip(half, ratios, strict=True)
    )
    assert found.estimate == pytest.approx(ratios[1] - ratios[0])
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(ratios[1] - ratios[0]) / variance**0.5))


def test_what_units_did_before_takes_variance_off_a_mean() -> None:
    rng = np.random.default_rng(3)
    before = rng.poisson(5.0, 600).astype(float)
    after = before + rng.poisson(1.0, 600) + np.repeat([0.0, 0.3], 300)
    groups = (of_units(after[:300], before=before[:300]), of_units(after[300:], before=before[300:]))
    found = of("clicks_per_unit", *groups)
    adjusted = found.adjusted
    assert adjusted is not None
    assert adjusted.theta == pytest.approx(1.0, abs=0.05)
    assert adjusted.variance_reduction == pytest.approx(5 / 6, abs=0.05)
    assert adjusted.p_value is not None
    assert found.fixed.p_value is not None
    assert adjusted.p_value < 0.01 < found.fixed.p_value
    assert of("ctr", *groups).adjusted is None


@pytest.mark.parametrize("metric", ["ctr", "clicked_units", "clicks_per_unit", "empty_rate"])
@pytest.mark.parametrize(
    ("one", "two"), [(NOTHING, NOTHING), (NOTHING, binary(50, 5)), (binary(50, 5), NOTHING)]
)
def test_without_units_nothing_is_said(metric: str, one: Parts, two: Parts) -> None:
    found = of(metric, one, two, planned=1000.0)
    assert (found.harm, found.interval, found.gain) == (None, None, 0.0)
    assert (found.fixed.p_value, found.any_time.p_value) == (None, 1.0)


def test_harm_has_the_sign_and_the_unit_of_its_metric() -> None:
    worse = of("dismiss_rate", rated(500, 100, 5000), rated(500, 150, 5000))
    assert (worse.harm, worse.gain) == (pytest.approx(0.5), pytest.approx(-0.01))
    empty = of("empty_rate", rated(500, 0, 1000), rated(500, 30, 1000))
    assert (empty.harm, empty.any_time.ci) == (pytest.approx(0.03), empty.interval)
    assert of("dismiss_rate", rated(500, 0, 5000), rated(500, 150, 5000)).harm is None


def test_a_ratio_rests_on_the_units_that_bring_its_denominator() -> None:
    shown = of_units([0] * 1000, [12] * 1000)
    few = of_units([4] * 10 + [0] * 990, [1] * 10 + [0] * 990)
    assert carrying(METRICS["ctr"], shown) == 1000
    assert carrying(METRICS["clicked_rating"], few) == 10
    assert carrying(METRICS["clicked_units"], few) == 1000
    assert carrying(METRICS["ctr"], NOTHING) == 0


counts = st.tuples(st.integers(2, 5000), st.floats(0, 1)).map(
    lambda pair: (pair[0], round(pair[0] * pair[1]))
)


@given(one=counts, two=counts, metric=st.sampled_from(["clicked_units", "clicks_per_unit", "ctr"]))
def test_swapped_variants_mirror_the_effect(one: tuple[int, int], two: tuple[int, int], metric: str) -> None:
    there, back = (of(metric, binary(*a), binary(*b), planned=4000.0) for a, b in ((one, two), (two, one)))
    assert there.gain == -back.gain
    for forth, other in ((there.fixed, back.fixed), (there.any_time, back.any_time)):
        assert forth.status == other.status
        assert forth.p_value == (other.p_value and pytest.approx(other.p_value, abs=1e-9))
        assert forth.p_value is None or 0 <= forth.p_value <= 1
        if forth.ci and other.ci:
            assert forth.ci == pytest.approx((-other.ci[1], -other.ci[0]), abs=1e-9)


@given(one=counts, two=counts, times=st.integers(2, 50))
def test_more_of_the_same_moves_no_estimate(one: tuple[int, int], two: tuple[int, int], times: int) -> None:
    few = of("ctr", binary(*one), binary(*two))
    scaled = (tuple(part * times for part in binary(*group)) for group in (one, two))
    many = of("ctr", *scaled)
    assert (many.control, many.treatment) == (pytest.approx(few.control), pytest.approx(few.treatment))
    assert many.gain == pytest.approx(few.gain)
    assume(few.fixed.ci is not None and many.fixed.ci is not None)
    assert many.fixed.p_value <= few.fixed.p_value + 1e-9  # type: ignore[operator] # both are known


def test_each_treatment_has_its_part_of_alpha() -> None:
    plan = make_plan(THREE, guardrails={"empty_rate": 0.01, "clicked_units": 0.1})
    figures = make_figures(clicked((2000, 200), (1000, 120), (1000, 90)))
    goals, guardrails = read_goals(plan, figures), read_guardrails(plan, figures)
    assert [one.comparison.variant for one in goals] == ["one", "two"]
    assert {one.comparison.alpha for one in goals} == {0.025}
    assert {one.comparison.alpha for one in guardrails} == {0.0125}
    assert [(one.comparison.metric.name, one.comparison.variant) for one in guardrails] == [
        ("empty_rate", "one"),
        ("empty_rate", "two"),
        ("clicked_units", "one"),
        ("clicked_units", "two"),
    ]


def test_later_goals_are_told_by_holm_once_the_first_is_sure() -> None:
    plan = make_plan(goals=("clicked_units", "ctr", "clicks_per_unit"))
    better = {
        "ctr": {"control": rated(2000, 1000, 20000), "treatment": rated(2000, 1300, 20000)},
        "clicks_per_unit": {"control": rated(2000, 1000, 2000), "treatment": rated(2000, 1000, 2000)},
    }
    for treatment, told in ((320, [True, True, False]), (205, [False, False, False])):
        found = read_goals(plan, make_figures(clicked((2000, 200), (2000, treatment)) | better))
        assert [one.is_sure for one in found] == told
        p = found[1].comparison.any_time.p_value
        assert p is not None
        assert found[1].p_adjusted == pytest.approx(2 * p)
        assert found[0].p_adjusted == found[0].comparison.any_time.p_value


def test_a_planned_test_reads_later_goals_at_its_end_alone() -> None:
    plan = make_plan(goals=("clicked_units", "clicks_per_unit"), test="planned", horizon_days=5)
    looks = [dict(look) | {"clicks_per_unit": look["clicked_units"]} for look in growing(5, 400, 0.1, 0.2)]
    early, late = read_goals(plan, looking(*looks[:4])), read_goals(plan, looking(*looks))
    assert [(one.p_adjusted, one.is_sure) for one in early] == [(None, True), (None, False)]
    assert late[1].is_sure
    assert late[1].p_adjusted == late[1].comparison.fixed.p_value
    again = looking(*looks, days=9.0)
    later = make_figures(growing(9, 400, 0.1, 0.1)[-1], looks=again.looks, days=9.0)
    assert read_goals(plan, later) == late, "what comes after the end is not looked at"


def test_looks_are_full_days_with_units_more_and_end_with_the_plan() -> None:
    plan = make_plan(test="planned", horizon_days=10)
    days = growing(6, 100, 0.1, 0.12)
    looks = [days[0], days[0], days[2], days[3], days[4], days[5]]
    found = read_goals(plan, looking(*looks, planned_units=1000.0))[0].looks
    assert [(look.day, look.fraction) for look in found] == [(1, 0.2), (3, 0.6), (4, 0.8), (5, 1.0)]
    assert [look.bound for look in found] == sorted((look.bound for look in found), reverse=True)
    few = read_goals(plan, looking(*growing(10, 20, 0.1, 0.12), planned_units=1000.0))[0].looks
    assert (few[-1].day, few[-1].fraction) == (10, 1.0), "the end is the end, with too few units too"


def test_the_last_look_is_made_where_the_last_days_bring_nothing() -> None:
    plan = make_plan(test="planned", horizon_days=6)
    days = growing(3, 1000, 0.1, 0.12)
    found = read_goals(plan, looking({}, *days, days[-1], days[-1], planned_units=None))[0]
    assert [look.day for look in found.looks][-1] == 6
    assert found.looks[-1].fraction == 1.0
    assert found.is_sure == found.looks[-1].is_crossed


def test_what_crossed_and_turned_since_is_not_told() -> None:
    plan = make_plan(test="planned", horizon_days=20)
    up, down = clicked((1000, 100), (1000, 200)), clicked((5000, 800), (5000, 500))
    crossed = read_goals(plan, looking(*[up] * 10))[0]
    assert crossed.is_sure
    assert crossed.crossed == crossed.looks[0]
    turned = read_goals(plan, looking(*[up] * 10, down))[0]
    assert turned.crossed
    assert not turned.is_sure


def test_nothing_is_told_by_a_handful_of_raters() -> None:
    plan = make_plan(goals=("clicked_rating",), guardrails={"clicked_rating": 0.15})
    control = of_units([5, 4.5] * 10 + [0] * 980, [1] * 20 + [0] * 980)
    treatment = of_units([1, 1.5] * 10 + [0] * 980, [1] * 20 + [0] * 980)
    figures = make_figures({"clicked_rating": {"control": control, "treatment": treatment}})
    goal, guardrail = read_goals(plan, figures)[0], read_guardrails(plan, figures)[0]
    assert goal.p_adjusted is not None
    assert goal.p_adjusted < 0.001
    assert (goal.is_sure, guardrail.is_broken) == (False, False)
    assert guardrail.harm == pytest.approx(1 - 1.25 / 4.75)


def test_a_fall_within_its_margin_or_by_chance_breaks_no_guardrail() -> None:
    plan = make_plan(guardrails={"clicked_units": 0.15})
    for treatment, is_broken in (((2000, 360), False), ((2000, 320), True), ((100, 16), False)):
        figures = make_figures(clicked((2000, 400), treatment))
        found = read_guardrails(plan, figures)[0]
        assert found.is_broken == is_broken, treatment
    assert found.harm == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("metric", "control", "treatment", "harm"),
    [
        ("long_tail_rate", 0, 40, 0.0),
        ("long_tail_rate", 0, 0, 0.0),
        ("long_tail_rate", 40, 30, 0.25),
        ("ctr", 0, 40, 0.0),
        ("ctr", 0, 0, None),
        ("dismiss_rate", 0, 40, None),
    ],
)
def test_what_is_0_in_the_control_cannot_fall(
    metric: str, control: int, treatment: int, harm: float | None
) -> None:
    """Of clicks 0 in both may be a log that counts none any more."""
    parts = {"control": binary(1000, control), "treatment": binary(1000, treatment)}
    (found,) = read_guardrails(make_plan(guardrails={metric: 0.5}), make_figures({metric: parts}))
    assert found.harm == (None if harm is None else pytest.approx(harm))
    assert not found.is_broken


@pytest.mark.parametrize(("slower", "is_broken"), [(40, False), (60, True)])
def test_a_wait_that_nobody_notices_breaks_no_guardrail(slower: int, is_broken: bool) -> None:
    """Of lists that take 5 ms: both are many times the margin, and no chance."""
    lists = {"lists_per_unit": dict.fromkeys(("control", "treatment"), binary(2000, 2000))}
    times = {"control": [5.0] * 2000, "treatment": [5.0 + slower] * 2000}
    found = {name: LatencyHistogram.of(ms).to_json() for name, ms in times.items()}
    plan = make_plan(guardrails={"latency_p95": 0.15})
    (guardrail,) = read_guardrails(plan, make_figures(lists, latencies=found))
    assert guardrail.is_broken == is_broken
    assert guardrail.harm == (pytest.approx(slower / 5, rel=0.1) if is_broken else 0)


def test_lists_of_one_unit_hang_together_in_latencies() -> None:
    plan = make_plan(guardrails={"latency_p95": 0.15})
    slow = {"control": {"100": 900, "150": 100}, "treatment": {"100": 900, "160": 100}}
    lists = {"lists_per_unit": dict.fromkeys(slow, (200.0, 1000.0, 6000.0, *NOTHING[3:]))}
    alone = read_guardrails(plan, make_figures(clicked((200, 9), (200, 9)), latencies=slow))[0]
    found = read_guardrails(plan, make_figures(lists, latencies=slow))[0]
    one, two = (LatencyHistogram.from_json(counts) for counts in slow.values())
    known = always_valid_quantile_shift(one, two, 0.95, 0.05, 1 + 0.2 * (6000 / 1000 - 1))
    assert found.comparison.any_time == known
    assert found.comparison.any_time.p_value > alone.comparison.any_time.p_value  # type: ignore[operator]
    assert found.harm == pytest.approx(two.quantile(0.95) / one.quantile(0.95) - 1)


def test_chances_describe_binaries_alone() -> None:
    plan = make_plan(goals=("clicked_units", "ctr"))
    found = read_goals(plan, make_figures(clicked((100, 10), (100, 20))))
    assert found[0].chance is not None
    assert found[1].chance is None
    known = stats.beta(21, 81).expect(stats.beta(11, 91).cdf)
    assert found[0].chance.chance_to_beat == pytest.approx(known, abs=1e-6)
