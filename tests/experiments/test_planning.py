"""How long an experiment takes to find what is worth finding, from what the site saw lately."""

from dataclasses import replace
from datetime import timedelta
from math import sqrt

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy import stats

from apps.accounts.models import User
from apps.algorithms.statistics import always_valid_by_plan, sample_size, width_at_plan
from apps.algorithms.statistics.samples import Counts
from apps.core.clock import SimulatedClock
from apps.experiments.models import Holdout, Phase
from apps.experiments.planning import _SUMS, Power, Site, assumed_power, foreseen_units, power_of, site_of
from apps.experiments.plans import Plan, plan_of
from apps.experiments.ramping import Step
from apps.experiments.services import change_experiment, checklist, design_of, start
from tests.experiments.counts import make_plan
from tests.experiments.setup import make_experiment
from tests.experiments.traffic import show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]


def site(n: int = 14_000, rate: float = 0.1) -> Site:
    """Units of which each was shown ten films in one list, and so many clicked one of them."""
    units = np.zeros((n, len(_SUMS)))
    units[:, _SUMS.index("lists")], units[:, _SUMS.index("shown")] = 1, 10
    units[: round(n * rate), _SUMS.index("clicks")] = 1
    reached = (units > 0).sum(axis=0).astype(float)
    return Site(n, units.sum(axis=0), units.T @ units, reached, {"regular": 0.75, "cold": 0.25})


def found(plan: Plan, of: Site | None = None) -> Power:
    power = power_of(plan, of or site())
    assert power is not None
    return power


def test_power_is_that_of_the_fixed_test_of_a_plan() -> None:
    power = found(make_plan(test="planned", min_effect=0.15))
    assert (power.baseline, power.units_a_day, power.units) == (0.1, 1000, 28_000)
    z = 0.015 / sqrt(2 * 0.09 / 14_000)
    far = stats.norm.isf(0.025)
    assert power.power == pytest.approx(stats.norm.sf(far - z) + stats.norm.sf(far + z))
    needed = (far + stats.norm.ppf(0.8)) ** 2 * 4 * 0.09 / 0.015**2
    assert power.units_needed == pytest.approx(needed)
    assert power.units_needed == pytest.approx(2 * sample_size(0.1, 0.15), rel=0.07)
    assert power.days_needed == 13


def test_a_share_that_is_taken_to_be_stands_in_for_the_log() -> None:
    plan = make_plan(test="planned", min_effect=0.15)
    power = assumed_power(plan, 0.1, 1000)
    assert power is not None
    assert (power.baseline, power.units_a_day, power.units) == (0.1, 1000, 28_000)
    assert power.units_needed == pytest.approx(found(plan).units_needed)


@pytest.mark.parametrize(("share", "units"), [(0, 1000), (1, 1000)])
def test_a_share_without_variance_says_nothing(share: float, units: float) -> None:
    assert assumed_power(make_plan(), share, units) is None


def test_no_units_a_day_find_nothing_in_any_time() -> None:
    power = assumed_power(make_plan(), 0.1, 0)
    assert power is not None
    assert (power.power, power.days_needed) == (0, None)


def test_reading_at_any_time_takes_more_units() -> None:
    once, any_time = (found(make_plan(test=test)) for test in ("planned", "any_time"))
    assert any_time.power < once.power
    ratio = (width_at_plan(0.05) + stats.norm.ppf(0.8)) / (stats.norm.isf(0.025) + stats.norm.ppf(0.8))
    assert any_time.units_needed / once.units_needed == pytest.approx(ratio**2)
    groups = Counts(500, 5000), Counts(580, 5000)
    told = always_valid_by_plan(*groups, planned=10_000)
    z = 0.016 / sqrt(0.1 * 0.9 / 5000 + 0.116 * 0.884 / 5000)
    assert (told.p_value is not None and told.p_value < 0.05) == (z > width_at_plan(0.05))


def test_the_smallest_of_several_treatments_decides_at_its_part_of_alpha() -> None:
    power = found(make_plan({"control": 0.5, "one": 0.4, "two": 0.1}, test="planned"))
    wanted = (stats.norm.isf(0.0125) + stats.norm.ppf(0.8)) ** 2
    assert power.units_needed == pytest.approx(wanted * (1 / 0.5 + 1 / 0.1) * 0.09 / 0.005**2)
    idle = found(make_plan({"control": 0.5, "one": 0.5, "two": 0.0}, test="planned"))
    assert idle.units_needed == found(make_plan(test="planned")).units_needed


def test_units_come_from_the_part_of_the_site_that_takes_part() -> None:
    Holdout.objects.update_or_create(pk=Holdout.SINGLETON, defaults={"share": 0.1})
    plan = make_plan(range_end=0.5, steps=(Step(0.1), Step(0.8)))
    plan = replace(plan, targeting=replace(plan.targeting, segments=frozenset({"cold"})))
    assert found(plan).units_a_day == pytest.approx(1000 * 0.5 * 0.8 * 0.25 * 0.9)


@pytest.mark.parametrize("metric", ["ctr", "clicks_per_unit"])
def test_other_shapes_have_their_own_variance(metric: str) -> None:
    power = found(make_plan(goals=(metric,), test="planned"))
    binary = found(make_plan(test="planned"))
    assert power.baseline == pytest.approx(0.01 if metric == "ctr" else 0.1)
    assert power.units_needed == pytest.approx(binary.units_needed, rel=1e-3)


@pytest.mark.parametrize(
    ("of", "goal"),
    [(site(0), "clicked_units"), (site(1), "ctr"), (site(50, 0.0), "ctr"), (site(), "novelty")],
)
def test_too_little_says_nothing(of: Site, goal: str) -> None:
    assert power_of(make_plan(goals=(goal,)), of) is None
    assert power_of(make_plan({"control": 1.0, "treatment": 0.0}), site()) is None


def test_what_would_take_more_than_a_year_has_no_days() -> None:
    assert found(make_plan(min_effect=0.001)).days_needed is None


def test_the_site_is_read_from_the_log_of_two_weeks(clock: SimulatedClock) -> None:
    experiment = make_experiment()
    show(experiment, "control", at=clock.at - timedelta(days=15), clicked=[1])
    show(experiment, "control", at=clock.at - timedelta(days=2), clicked=[1, 2])
    show(experiment, "treatment", at=clock.at - timedelta(days=1), segment="power")
    cache.clear()
    seen = site_of(clock.at)
    assert (seen.n_units, seen.units_a_day) == (2, 2 / 14)
    clicks, shown = _SUMS.index("clicks"), _SUMS.index("shown")
    assert (seen.sums[clicks], seen.products[clicks][clicks], seen.products[clicks][shown]) == (2, 4, 6)
    assert (seen.reached[clicks], seen.reached[shown]) == (1, 2)
    assert seen.segments == {"regular": 0.5, "power": 0.5}


def test_the_site_is_read_in_as_many_queries_whatever_its_size(clock: SimulatedClock) -> None:
    experiment = make_experiment()
    asked = []
    for n in (2, 20):
        for _ in range(n):
            show(experiment, "control", at=clock.at - timedelta(hours=1))
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            site_of(clock.at)
            site_of(clock.at)
        asked.append(len(captured))
    assert asked == [3, 3]


def log_of(clock: SimulatedClock, n: int) -> None:
    experiment = make_experiment()
    for number in range(n):
        show(experiment, "control", at=clock.at - timedelta(days=1), clicked=[1] if number % 3 else [])
    cache.clear()


def test_the_checklist_foresees_how_long_it_takes(clock: SimulatedClock) -> None:
    log_of(clock, 28)
    check = checklist(make_experiment("test", horizon_days=14, min_effect=0.5))[-1]
    power = found(
        make_plan(test="planned", horizon_days=14, min_effect=0.5, goals=("ctr",)), site_of(clock.at)
    )
    assert (check.name, check.is_ok, check.takes_reason) == ("power", power.power >= 0.5, True)
    assert check.said == (
        f"The chance to find 50% of CTR in 14 days is {power.power:.0%}; finding it in 80% of cases takes"
        f" {power.days_needed} days, at 2 units a day."
    )


def test_planned_units_are_foreseen_at_the_start_and_anew_by_a_new_phase(
    clock: SimulatedClock, boss: User
) -> None:
    log_of(clock, 28)
    make_experiment("test", horizon_days=14)
    experiment = start(key="test", by=boss, reason="a test")
    plan = plan_of(Phase.objects.get())
    assert plan.planned_units == 28 == foreseen_units(plan, clock.at)
    changed = replace(design_of(experiment), horizon_days=28)
    change_experiment(design=changed, by=boss, reason="Longer")
    assert plan_of(Phase.objects.get(number=2)).planned_units == 56
    change_experiment(design=changed, by=boss, reason="The same")
    assert Phase.objects.count() == 2
