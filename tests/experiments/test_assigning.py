"""Which experiments a unit is in, and why not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.experiments.assigning import Attributes, Holdout, Placement, Running, Targeting, place

UNITS = [f"unit-{number}" for number in range(20_000)]
ANYBODY = Attributes(user_segment="regular", language="en", age_days=100.0)
TEST = Running(
    key="bandit-vs-hybrid",
    kind="strategy",
    phase=1,
    layer_salt="layer",
    start=0.0,
    end=1.0,
    coverage_salt="coverage",
    coverage=1.0,
    split_salt="split",
    weights={"control": 0.5, "treatment": 0.5},
)


def only(
    unit: str, experiment: Running = TEST, attributes: Attributes = ANYBODY, **options: object
) -> Placement:
    (found,) = place(unit, attributes, [experiment], **options)  # type: ignore[arg-type]
    return found


def placed(experiment: Running, units: list[str] = UNITS) -> dict[str, str]:
    """The variant of each unit that is in the experiment."""
    found = {unit: only(unit, experiment).variant for unit in units}
    return {unit: variant for unit, variant in found.items() if variant is not None}


def bound(share: float, n: int) -> float:
    """Five standard deviations of a count: passed by chance once in 1.7 million."""
    return 5 * (share * (1 - share) * n) ** 0.5


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5)])
def test_variants_get_the_units_that_their_weights_promise(weights: tuple[float, ...]) -> None:
    names = {f"v{number}": weight for number, weight in enumerate(weights)}
    counts = Counter(placed(replace(TEST, weights=names)).values())
    for name, weight in names.items():
        assert abs(counts[name] - weight * len(UNITS)) < bound(weight, len(UNITS))


def test_growing_coverage_moves_nobody_between_variants() -> None:
    before: dict[str, str] = {}
    for coverage in (0.1, 0.3, 0.65, 1.0):
        now = placed(replace(TEST, coverage=coverage))
        assert abs(len(now) - coverage * len(UNITS)) <= bound(coverage, len(UNITS))
        assert before.items() <= now.items()
        before = now


def test_experiments_of_one_layer_share_nobody() -> None:
    low, high = replace(TEST, end=0.4), replace(TEST, key="other", start=0.4)
    both = [place(unit, ANYBODY, [low, high]) for unit in UNITS]
    assert all(one.is_in != two.is_in for one, two in both)
    n_low = sum(one.is_in for one, _ in both)
    assert abs(n_low - 0.4 * len(UNITS)) < bound(0.4, len(UNITS))


def test_two_layers_are_independent() -> None:
    other = replace(TEST, key="recipe", kind="recipe", layer_salt="l2", coverage_salt="c2", split_salt="s2")
    pairs = Counter(tuple(found.variant for found in place(unit, ANYBODY, [TEST, other])) for unit in UNITS)
    counts = np.array(list(pairs.values()))
    assert len(counts) == 4
    # Chi-square, 3 degrees of freedom: 22 is exceeded by chance once in 15,000.
    assert ((counts - 5000) ** 2 / 5000).sum() < 22


def test_who_is_covered_says_nothing_of_who_gets_what() -> None:
    counts = Counter(placed(replace(TEST, coverage=0.5)).values())
    assert abs(counts["control"] - counts.total() / 2) < bound(0.5, counts.total())


def test_the_holdout_is_in_no_experiment_and_keeps_its_share() -> None:
    holdout = Holdout("held", 0.05)
    out = [unit for unit in UNITS if not only(unit, holdout=holdout).is_in]
    assert abs(len(out) - 0.05 * len(UNITS)) < bound(0.05, len(UNITS))
    assert only(out[0], holdout=holdout).reason == "in the holdout, which is in no experiment"
    assert only(out[0], holdout=Holdout("held", 0.0)).is_in


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        (replace(ANYBODY, is_staff=True), "staff are in no experiment, unless they are put there by hand"),
        (replace(ANYBODY, is_imported=True), "nobody of a data set is in an experiment"),
        (replace(ANYBODY, user_segment="cold"), "not targeted: the segment is cold, not power or regular"),
        (replace(ANYBODY, language=""), "not targeted: the language is unknown, not en"),
        (replace(ANYBODY, age_days=None), "not targeted: there is no account, and so no age of one"),
        (replace(ANYBODY, age_days=2.0), "not targeted: the account is 2.0 days old, less than 7"),
        (replace(ANYBODY, age_days=400.0), "not targeted: the account is 400.0 days old, more than 365"),
    ],
)
def test_who_is_not_meant_is_told_why(attributes: Attributes, reason: str) -> None:
    wanted = Targeting(frozenset({"regular", "power"}), frozenset({"en"}), age_from=7, age_to=365)
    experiment = replace(TEST, targeting=wanted)
    found = only("unit", experiment, attributes)
    assert (found.variant, found.counted, found.reason) == (None, False, reason)
    assert only("unit", experiment).is_in


def test_who_lies_outside_of_range_or_coverage_is_told_where() -> None:
    outside = next(unit for unit in UNITS if only(unit).layer_bucket > 0.3)
    assert only(outside, replace(TEST, end=0.25)).reason == (
        f"at {only(outside).layer_bucket:.4f} of the layer, and the experiment has 0 to 0.25"
    )
    uncovered = next(unit for unit in UNITS if only(unit).coverage_bucket > 0.2)
    assert (
        only(uncovered, replace(TEST, coverage=0.2)).reason
        == "not among the 0.2 of the range that is covered"
    )


def test_somebody_put_there_by_hand_is_there_and_never_counted() -> None:
    experiment = replace(TEST, coverage=0.0, overrides={"unit": "treatment"})
    found = only("unit", experiment, replace(ANYBODY, is_staff=True), holdout=Holdout("held", 1.0))
    assert (found.variant, found.counted) == ("treatment", False)
    assert found.reason == "put there by hand, so not counted"
    assert not only("another", experiment).is_in


def test_somebody_put_into_one_by_hand_is_in_no_other_of_its_layer() -> None:
    by_hand = replace(TEST, key="by-hand", start=0.0, end=0.0, overrides={"unit": "treatment"})
    recipes = replace(TEST, key="recipes", kind="recipe")
    again = replace(by_hand, key="by-hand-too")
    found = place("unit", ANYBODY, [TEST, by_hand, again, recipes])
    assert [one.is_in for one in found] == [False, True, False, True]
    assert [one.counted for one in found] == [False, False, False, True]
    assert found[0].reason == found[2].reason == "put by hand into by-hand, of the same layer"
    assert only("another").counted


def test_a_variant_without_weight_gets_nobody() -> None:
    weights = {"control": 0.5, "off": 0.0, "treatment": 0.5}
    assert set(placed(replace(TEST, weights=weights)).values()) == {"control", "treatment"}


@given(unit=st.text(max_size=12), coverage=st.floats(0, 1), start=st.floats(0, 0.5), end=st.floats(0.5, 1))
def test_every_unit_stands_somewhere_for_a_reason(
    unit: str, coverage: float, start: float, end: float
) -> None:
    found = only(unit, replace(TEST, coverage=coverage, start=start, end=end))
    assert found.reason
    assert found.counted == found.is_in
    assert found == only(unit, replace(TEST, coverage=coverage, start=start, end=end))
