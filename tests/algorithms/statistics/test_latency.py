"""Counts of latencies, and how far a quantile of them moved."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.algorithms.statistics import (
    Counts,
    LatencyHistogram,
    always_valid_quantile_shift,
    chi_square,
    quantile_shift,
)
from apps.algorithms.statistics.latency import BUCKETS, EDGES, LEAST_MS, MOST_MS, RATIO

LATENCIES = st.lists(st.floats(0, 100_000), max_size=60)
COUNTED = st.lists(st.floats(0.2, 50_000), min_size=1, max_size=200)
BOTH = pytest.mark.parametrize("shift", [quantile_shift, always_valid_quantile_shift])
P95 = math.exp(3 + 0.8 * 1.6448536269514722)
"""Milliseconds, of the lognormal latencies below."""


def latencies(rng, n, times=1.0):
    return LatencyHistogram.of(times * rng.lognormal(3, 0.8, n))


# --- The histogram -----------------------------------------------------------------------------------


def test_the_edges_are_what_stored_histograms_count_by():
    assert (len(EDGES), EDGES[0], EDGES[-1]) == (289, 0.1, 60_000)
    assert EDGES[[1, 100, 200]] == pytest.approx([0.104728, 10.1462, 1029.45], rel=1e-4)
    assert max(EDGES[1:] / EDGES[:-1]) - 1 < 0.0473


def test_a_latency_is_counted_from_its_bucket_s_lower_edge_on():
    found = LatencyHistogram.of([0, EDGES[0], EDGES[1], np.nextafter(EDGES[1], 0), MOST_MS, 1e9])
    assert found.to_json() == {"0": 1, "1": 2, "2": 1, str(BUCKETS + 1): 2}
    assert found.n == 6


@given(one=LATENCIES, two=LATENCIES)
def test_two_histograms_add_up_to_that_of_both_and_come_apart_again(one, two):
    both = LatencyHistogram.of(one) + LatencyHistogram.of(two)
    assert both == LatencyHistogram.of(one + two)
    assert both - LatencyHistogram.of(two) == LatencyHistogram.of(one)


@given(values=LATENCIES)
def test_json_holds_the_buckets_that_count_something(values):
    found = LatencyHistogram.of(values)
    stored = json.loads(json.dumps(found.to_json()))
    assert LatencyHistogram.from_json(stored) == found
    assert len(stored) <= len(values)


@pytest.mark.parametrize("p", [0.01, 0.5, 0.9, 0.95, 0.99, 0.999])
def test_a_quantile_is_numpys_within_the_width_of_a_bucket(p):
    values = np.random.default_rng(1).lognormal(3, 1.5, 5000)
    known = np.quantile(values, p, method="inverted_cdf")
    assert LatencyHistogram.of(values).quantile(p) == pytest.approx(known, rel=RATIO - 1)


@given(values=COUNTED, p=st.floats(0.001, 0.999))
def test_no_quantile_is_further_off_than_it_says(values, p):
    known = np.sort(values)[math.ceil(p * len(values) * (1 - 1e-12)) - 1]
    assert LatencyHistogram.of(values).quantile(p) == pytest.approx(known, rel=RATIO - 1)


@given(values=LATENCIES.filter(bool), ps=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=8))
def test_quantiles_rise(values, ps):
    histogram = LatencyHistogram.of(values)
    found = [histogram.quantile(p) for p in sorted(ps)]
    assert found == sorted(found)
    assert LEAST_MS <= found[0] <= found[-1] <= MOST_MS


@given(
    counts=st.dictionaries(st.integers(60, 200), st.integers(1, 50), min_size=1, max_size=20),
    by=st.integers(-50, 80),
    p=st.floats(0.01, 0.99),
)
def test_latencies_times_a_power_of_the_ratio_move_by_as_many_buckets(counts, by, p):
    one, other = (
        LatencyHistogram.from_json({str(k + shift): n for k, n in counts.items()}) for shift in (0, by)
    )
    assert other.quantile(p) == pytest.approx(one.quantile(p) * RATIO**by)


def test_what_is_beyond_the_edges_counts_as_them():
    assert LatencyHistogram.of([0.01, 0.02]).quantile(0.5) == LEAST_MS
    assert LatencyHistogram.of([90_000, 70_000]).quantile(0.5) == MOST_MS


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LatencyHistogram.of([1, -1]), "a latency must be at least 0 ms"),
        (lambda: LatencyHistogram.of([math.nan]), "a latency must be at least 0 ms"),
        (lambda: LatencyHistogram((1, 2)), "a histogram has 290 buckets, not 2"),
        (lambda: LatencyHistogram.from_json({"290": 1}), "the buckets are 0 to 289, not '290'"),
        (lambda: LatencyHistogram.from_json({"-1": 1}), "the buckets are 0 to 289, not '-1'"),
        (lambda: LatencyHistogram.from_json({"3": -1}), "bucket 3 must count requests, not -1"),
        (lambda: LatencyHistogram.from_json({"3": 1.5}), "bucket 3 must count requests, not 1.5"),
        (
            lambda: LatencyHistogram.of([1]) - LatencyHistogram.of([2]),
            "bucket 65 counts fewer than 0 requests",
        ),
        (lambda: LatencyHistogram().quantile(0.5), "a histogram of no request has no quantile"),
        (lambda: LatencyHistogram.of([1]).quantile(1), "a quantile's p must lie between 0 and 1, not at 1"),
    ],
)
def test_a_histogram_that_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make()


# --- Shifts ------------------------------------------------------------------------------------------


def test_the_shift_is_the_difference_of_the_quantiles():
    rng = np.random.default_rng(2)
    one, two = rng.lognormal(3, 0.8, 20_000), rng.lognormal(3.1, 0.8, 20_000)
    found = quantile_shift(LatencyHistogram.of(one), LatencyHistogram.of(two))
    known = np.quantile(one, 0.95), np.quantile(two, 0.95)
    assert found.estimate == pytest.approx(known[1] - known[0], abs=0.02 * known[0])
    assert found.rel_lift == pytest.approx(known[1] / known[0] - 1, abs=0.02)
    # By the density at the quantile: its standard error is that of the normal approximation.
    density = 0.10313564 / (0.8 * P95)
    error = math.sqrt(0.95 * 0.05 / 20_000 * (1 + math.exp(0.2))) / density
    assert (found.ci[1] - found.ci[0]) / 2 == pytest.approx(1.96 * error, rel=0.1)
    assert found.p_value < 1e-6


def test_equal_medians_are_tested_as_shares_below_a_common_one():
    """Two buckets, at whose edge 60 of 100 meet 40 of 100: some way into either fits a bit better."""
    one, two = (LatencyHistogram.from_json({"100": below, "101": 100 - below}) for below in (60, 40))
    found = quantile_shift(one, two, p=0.5)
    known = chi_square([Counts(60, 100), Counts(40, 100)])
    assert known.p_value < found.p_value < 1.2 * known.p_value


@BOTH
@settings(deadline=None, max_examples=25)
@given(control=COUNTED, treatment=COUNTED, p=st.floats(0.05, 0.99), alpha=st.floats(0.001, 0.5))
def test_the_interval_holds_the_estimate_and_0_where_p_is_above_alpha(shift, control, treatment, p, alpha):
    one, two = LatencyHistogram.of(control), LatencyHistogram.of(treatment)
    found, back = shift(one, two, p, alpha), shift(two, one, p, alpha)
    assert found.ci[0] <= found.estimate <= found.ci[1]
    assert found.rel_ci[0] <= found.rel_lift <= found.rel_ci[1]
    assert found.p_value == pytest.approx(back.p_value)
    # Ends are found on a grid: from either side each is off by less than a bucket of the slowest request, or,
    # beyond every request, of where it lies.
    buckets = 2 * 0.05 * max(*control, *treatment, *map(abs, found.ci)) + 0.1
    assert found.ci == pytest.approx((-back.ci[1], -back.ci[0]), abs=buckets)
    if found.p_value > alpha * 1.02:
        assert found.ci[0] <= 0 <= found.ci[1]


@BOTH
def test_0_leaves_the_interval_where_p_falls_below_alpha(shift):
    rng = np.random.default_rng(3)
    for times in np.linspace(1.0, 1.4, 25):
        found = shift(latencies(rng, 2000), latencies(rng, 2000, times))
        if not 0.045 < found.p_value < 0.055:
            assert (found.p_value < 0.05) == (not found.ci[0] <= 0 <= found.ci[1])
            assert (found.p_value < 0.05) == (not found.rel_ci[0] <= 0 <= found.rel_ci[1])


@BOTH
@settings(deadline=None, max_examples=20)
@given(counts=st.dictionaries(st.integers(60, 200), st.integers(1, 50), min_size=1), by=st.integers(-50, 80))
def test_in_another_unit_p_is_the_same_and_the_rest_in_that_unit(shift, counts, by):
    other = {k + 3: 60 - n for k, n in counts.items()}
    found, scaled = (
        shift(
            *(LatencyHistogram.from_json({str(k + more): n for k, n in c.items()}) for c in (counts, other))
        )
        for more in (0, by)
    )
    assert scaled.p_value == pytest.approx(found.p_value)
    assert scaled.estimate == pytest.approx(found.estimate * RATIO**by, rel=1e-6, abs=1e-6)
    assert scaled.rel_lift == pytest.approx(found.rel_lift)


@pytest.mark.parametrize(("n", "p"), [(150, 0.95), (2000, 0.95), (500, 0.5)])
def test_the_interval_covers_as_often_as_it_says(n, p):
    """300 pairs, true shift a fifth: below 91 % would be a chance of 1 in 300 at 95 %."""
    rng = np.random.default_rng(4)
    true = 0.2 * (P95 if p == 0.95 else math.exp(3))
    inside = alarms = 0
    for _ in range(300):
        control = latencies(rng, n)
        found = quantile_shift(control, latencies(rng, n, 1.2), p)
        inside += found.ci[0] <= true <= found.ci[1]
        alarms += quantile_shift(control, latencies(rng, n), p).p_value < 0.05
    assert inside / 300 >= 0.91
    assert alarms / 300 <= 0.09


def test_looking_again_and_again_alarms_no_more_often_than_alpha():
    """120 tests of nothing, 3 looks each: more than 10 % would be a chance of 1 in 100 even at 5 %."""
    rng = np.random.default_rng(5)
    alarms = naive = 0
    for _ in range(120):
        one, two = LatencyHistogram(), LatencyHistogram()
        told = []
        for requests in (300, 1200, 5000):
            one, two = one + latencies(rng, requests), two + latencies(rng, requests)
            told.append(
                [shift(one, two).p_value < 0.05 for shift in (always_valid_quantile_shift, quantile_shift)]
            )
        alarms, naive = alarms + any(valid for valid, _ in told), naive + any(plain for _, plain in told)
    assert alarms / 120 <= 0.1
    assert naive / 120 > 0.06, "as the test for one look does"


def test_a_p95_that_is_a_fifth_slower_is_told_within_days():
    rng = np.random.default_rng(6)
    found = always_valid_quantile_shift(latencies(rng, 10_000), latencies(rng, 10_000, 1.2))
    assert found.ci[0] > 0
    assert found.p_value < 0.01
    assert not always_valid_quantile_shift(latencies(rng, 500), latencies(rng, 500, 1.02)).p_value < 0.05


@BOTH
def test_requests_that_hang_together_count_as_fewer(shift):
    rng = np.random.default_rng(7)
    control, treatment = latencies(rng, 4000), latencies(rng, 4000, 1.2)
    plain, wide = shift(control, treatment), shift(control, treatment, design_effect=4)
    assert wide.estimate == plain.estimate
    assert wide.ci[0] < plain.ci[0] < plain.ci[1] < wide.ci[1]
    assert wide.p_value > plain.p_value


def test_a_design_effect_keeps_the_alarms_of_units_that_make_many_requests_at_alpha():
    """250 tests of 200 units, 20 requests each, half their variance being the unit's.

    More than 9.2 % would be a chance of 1 in 400 at 5 %.
    """
    rng = np.random.default_rng(8)
    alarms = naive = 0
    for _ in range(250):
        groups = []
        for _ in range(2):
            logs = rng.normal(3, 0.6, (200, 1)) + rng.normal(0, 0.6, (200, 20))
            groups.append(LatencyHistogram.of(np.exp(logs).ravel()))
        # Indicators of being above the p95 correlate by .2 within a unit.
        alarms += quantile_shift(*groups, design_effect=1 + 19 * 0.204).p_value < 0.05
        naive += quantile_shift(*groups).p_value < 0.05
    assert alarms / 250 <= 0.092
    assert naive / 250 > 0.2


@BOTH
def test_of_no_request_that_counts_nothing_is_known(shift):
    some, p_value = LatencyHistogram.of([1, 2, 3]), None if shift is quantile_shift else 1.0
    for found in (shift(LatencyHistogram(), some), shift(some, some, design_effect=4)):
        assert (found.estimate, found.ci, found.status) == (None, None, "insufficient_data")
        assert found.p_value == p_value


@BOTH
def test_of_few_requests_the_interval_ends_at_the_edges(shift):
    found = shift(LatencyHistogram.of([10, 11]), LatencyHistogram.of([10, 20]))
    assert found.ci == pytest.approx((-MOST_MS, MOST_MS), rel=0.01)
    assert found.p_value > 0.2


@BOTH
def test_a_treatment_that_never_answers_in_time_is_told(shift):
    found = shift(LatencyHistogram.of([10] * 500), LatencyHistogram.of([90_000] * 500))
    assert found.estimate == pytest.approx(MOST_MS, rel=0.01)
    assert found.ci[0] > 50_000
    assert found.p_value < 1e-6
    same = shift(LatencyHistogram.of([90_000] * 500), LatencyHistogram.of([90_000] * 400))
    assert (same.estimate, same.p_value) == (0, 1)


@BOTH
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"p": 0}, "a quantile's p must lie between 0 and 1, not at 0"),
        ({"p": math.nan}, "a quantile's p must lie between 0 and 1, not at nan"),
        ({"alpha": 1}, "alpha must lie between 0 and 1, not at 1"),
        ({"design_effect": 0.5}, "a design effect must be at least 1, not 0.5"),
        ({"design_effect": math.inf}, "a design effect must be at least 1, not inf"),
    ],
)
def test_what_cannot_be_asked_is_refused(shift, wrong, sentence):
    some = LatencyHistogram.of([1, 2, 3])
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        shift(some, some, **wrong)
