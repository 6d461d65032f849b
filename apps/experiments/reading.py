"""The goals and the guardrails of a phase, read by its plan."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.algorithms.statistics import (
    Chance,
    LatencyHistogram,
    adjust,
    always_valid_quantile_shift,
    chance_to_beat,
    group_sequential_bounds,
    quantile_shift,
)
from apps.algorithms.statistics.samples import moments
from apps.experiments.comparing import Comparison, compare, counts_of, sample_of
from apps.experiments.figures import Figures, Parts
from apps.experiments.metrics import METRICS, Metric
from apps.experiments.plans import Plan

LATENCY_QUANTILE = 0.95
LEAST_UNITS = 100
"""Of a group, before a guardrail is read: the intervals are asymptotic."""


@dataclass(frozen=True)
class Look:
    """One look of a test that was planned: how far from 0 it stood, and had to."""

    day: int
    fraction: float
    z: float
    bound: float

    @property
    def is_crossed(self) -> bool:
        return abs(self.z) >= self.bound


@dataclass(frozen=True)
class GoalReading:
    """``p_adjusted`` is Holm's over all goals and treatments, of what may be read now; else None.

    ``is_sure`` says that it differs, by the test that was planned.
    """

    comparison: Comparison
    p_adjusted: float | None
    is_sure: bool
    looks: tuple[Look, ...] = ()
    chance: Chance | None = None


@dataclass(frozen=True)
class GuardrailReading:
    """``harm`` is how much worse, relative or as the metric has it; above ``margin`` is too much.

    ``is_broken`` says that it is too much and that it is no chance.
    """

    comparison: Comparison
    margin: float
    harm: float | None
    is_broken: bool


def _treatments(plan: Plan) -> list[str]:
    return [one.name for one in plan.variants if not one.is_control and one.weight > 0]


def read_goals(plan: Plan, figures: Figures) -> list[GoalReading]:
    alpha = plan.alpha / max(len(_treatments(plan)), 1)
    found = []
    for name in plan.goals:
        metric = METRICS[name]
        for variant in _treatments(plan):
            comparison = _compare(metric, plan, figures, variant, alpha)
            is_first = name == plan.goals[0]
            looks = _looks(plan, figures, metric, variant, alpha) if is_first and _is_planned(plan) else ()
            found.append((comparison, looks))
    p_values = [_readable_p(plan, figures, comparison, looks) for comparison, looks in found]
    known = [number for number, p in enumerate(p_values) if p is not None]
    adjusted = dict(zip(known, adjust([p_values[number] or 0.0 for number in known]), strict=True))
    return [
        GoalReading(
            comparison=comparison,
            p_adjusted=adjusted.get(number),
            is_sure=_is_sure(plan, comparison, looks, adjusted.get(number)),
            looks=looks,
            chance=_chance(figures, plan, comparison),
        )
        for number, (comparison, looks) in enumerate(found)
    ]


def _compare(metric: Metric, plan: Plan, figures: Figures, variant: str, alpha: float) -> Comparison:
    control = plan.control.name
    if metric.shape == "latency":
        return _compare_latency(metric, figures, control, variant, alpha)
    share = plan.weights[control] + plan.weights[variant]
    planned = None if figures.planned_units is None else max(figures.planned_units * share, 1.0)
    one, two = figures.parts(metric.name, control), figures.parts(metric.name, variant)
    return compare(metric, variant, one, two, alpha=alpha, planned=planned)


def _compare_latency(
    metric: Metric, figures: Figures, control: str, variant: str, alpha: float
) -> Comparison:
    one = LatencyHistogram.from_json(figures.latencies.get(control, {}))
    two = LatencyHistogram.from_json(figures.latencies.get(variant, {}))
    return Comparison(
        metric=metric,
        variant=variant,
        control=one.quantile(LATENCY_QUANTILE) if one.n else None,
        treatment=two.quantile(LATENCY_QUANTILE) if two.n else None,
        fixed=quantile_shift(one, two, LATENCY_QUANTILE, alpha),
        any_time=always_valid_quantile_shift(one, two, LATENCY_QUANTILE, alpha),
    )


def _is_planned(plan: Plan) -> bool:
    return plan.test == "planned"


def _looks(plan: Plan, figures: Figures, metric: Metric, variant: str, alpha: float) -> tuple[Look, ...]:
    """Of each full day with units more than the day before, up to the first that has all of the plan."""
    taken: list[tuple[int, float, float]] = []
    for day, look in zip(figures.look_days, figures.looks, strict=True):
        z = _z(metric, look.get(plan.control.name), look.get(variant))
        fraction = _fraction(plan, figures, look, day)
        if z is None or fraction <= 0 or (taken and fraction <= taken[-1][1]):
            continue
        taken.append((day, fraction, z))
        if fraction >= 1:
            break
    bounds = group_sequential_bounds([fraction for _, fraction, _ in taken], alpha)
    return tuple(Look(*look, bound) for look, bound in zip(taken, bounds, strict=True))


def _fraction(plan: Plan, figures: Figures, look: Mapping[str, Parts], day: int) -> float:
    """Of the information that was planned: units, or days where no number of units was foreseen.

    The end of the horizon is the end, with however many units.
    """
    days = day - figures.look_days[0] + 1
    if days >= plan.horizon_days:
        return 1.0
    if figures.planned_units is None:
        return days / plan.horizon_days
    units = sum(parts[0] for parts in look.values())
    return min(float(units) / figures.planned_units, 1.0)


def _z(metric: Metric, control: Parts | None, treatment: Parts | None) -> float | None:
    if control is None or treatment is None:
        return None
    one, two = moments(sample_of(metric, control)), moments(sample_of(metric, treatment))
    if one is None or two is None or min(one.n, two.n) < 2 or one.of_mean + two.of_mean <= 0:
        return None
    return (two.mean - one.mean) / math.sqrt(one.of_mean + two.of_mean)


def _readable_p(plan: Plan, figures: Figures, comparison: Comparison, looks: Sequence[Look]) -> float | None:
    """At any time what is always valid; of a plan the fixed p, once its horizon is reached."""
    if not _is_planned(plan):
        return comparison.any_time.p_value
    return comparison.fixed.p_value if is_at_horizon(plan, figures) else None


def is_at_horizon(plan: Plan, figures: Figures) -> bool:
    return figures.days >= plan.horizon_days


def _is_sure(plan: Plan, comparison: Comparison, looks: Sequence[Look], p_adjusted: float | None) -> bool:
    if _is_planned(plan) and comparison.metric.name == plan.goals[0]:
        return any(look.is_crossed for look in looks)
    return p_adjusted is not None and p_adjusted <= plan.alpha


def _chance(figures: Figures, plan: Plan, comparison: Comparison) -> Chance | None:
    """A description, of binary metrics: nothing stops or ships by it."""
    if comparison.metric.shape != "binary":
        return None
    name = comparison.metric.name
    control, treatment = figures.parts(name, plan.control.name), figures.parts(name, comparison.variant)
    return chance_to_beat(counts_of(control), counts_of(treatment))


def read_guardrails(plan: Plan, figures: Figures) -> list[GuardrailReading]:
    treatments = _treatments(plan)
    alpha = plan.alpha / max(len(plan.guardrails) * len(treatments), 1)
    return [
        _guardrail(METRICS[name], margin, plan, figures, variant, alpha)
        for name, margin in plan.guardrails.items()
        for variant in treatments
    ]


def _guardrail(
    metric: Metric, margin: float, plan: Plan, figures: Figures, variant: str, alpha: float
) -> GuardrailReading:
    comparison = _compare(metric, plan, figures, variant, alpha)
    found = comparison.any_time
    harm, interval = found.rel_lift, found.rel_ci
    if metric.absolute:
        harm, interval = found.estimate, found.ci
    if harm is not None:
        harm = -harm * metric.sign
    units = figures.units(plan)
    enough = min(units[plan.control.name], units[variant]) >= LEAST_UNITS
    is_chance = interval is None or interval[0] <= 0 <= interval[1]
    is_broken = enough and harm is not None and harm > margin and not is_chance
    return GuardrailReading(comparison, margin, harm, is_broken)
