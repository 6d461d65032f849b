"""The goals and the guardrails of a phase, read by its plan."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

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
from apps.experiments.comparing import Comparison, carrying, compare, counts_of, sample_of
from apps.experiments.figures import Figures, Parts, parts_in, units_in
from apps.experiments.metrics import METRICS, Metric
from apps.experiments.plans import Plan

LATENCY_QUANTILE = 0.95
WITHIN_UNITS = 0.2
"""The correlation between two lists of one unit being among the slowest 5 %: taken to be large, as no sums
that are kept can tell it."""
LEAST_UNITS = 100
"""Of a group, before a guardrail is read: the intervals are asymptotic."""
LEAST_CARRYING = 30
"""Of a group, that a metric must rest on before anything is told by it."""

Metrics = Mapping[str, Mapping[str, Parts]]


@dataclass(frozen=True)
class Look:
    """One look of a test that was planned, ``day`` from 1: how far from 0 it stood, and had to."""

    day: int
    fraction: float
    z: float
    bound: float

    @property
    def is_crossed(self) -> bool:
        return abs(self.z) >= self.bound


@dataclass(frozen=True)
class GoalReading:
    """``is_sure`` says that it differs, with the sign that it has now.

    ``p_adjusted`` is that of the first goal itself, None where bounds decide in its place, and of later ones
    Holm's over those of this treatment; None while it may not be read.
    """

    comparison: Comparison
    p_adjusted: float | None
    is_sure: bool
    looks: tuple[Look, ...] = ()
    chance: Chance | None = None

    @property
    def crossed(self) -> Look | None:
        """The look that decided."""
        return next((look for look in self.looks if look.is_crossed), None)


@dataclass(frozen=True)
class GuardrailReading:
    """``harm`` is how much worse, relative or as the metric has it; above ``margin`` is too much. None where
    it cannot be computed.

    ``is_broken`` says that it is too much and that it is no chance.
    """

    comparison: Comparison
    margin: float
    harm: float | None
    is_broken: bool


def read_goals(plan: Plan, figures: Figures) -> list[GoalReading]:
    """Of each goal in their order every treatment.

    A treatment has ``alpha`` over their number: for the first goal, and, where that is sure, for the others
    by Holm. So no goal that is added costs the first one anything, and all that is told of a treatment is
    false with that chance at most.
    """
    course = _course(plan, figures)
    by_variant = [_goals_of(plan, figures, variant, course) for variant in treatments_of(plan)]
    return [reading for goal in zip(*by_variant, strict=True) for reading in goal]


def read_guardrails(plan: Plan, figures: Figures) -> list[GuardrailReading]:
    treatments = treatments_of(plan)
    alpha = plan.alpha / max(len(plan.guardrails) * len(treatments), 1)
    return [
        _guardrail(METRICS[name], margin, plan, figures, variant, alpha)
        for name, margin in plan.guardrails.items()
        for variant in treatments
    ]


def treatments_of(plan: Plan) -> list[str]:
    return [one.name for one in plan.variants if not one.is_control and one.weight > 0]


def compare_goal(metric: Metric, plan: Plan, figures: Figures, metrics: Metrics, variant: str) -> Comparison:
    """``metrics`` of some moment, at the part of ``alpha`` and of the planned units that a goal has."""
    return _compare(metric, plan, figures, metrics, variant, plan.alpha / len(treatments_of(plan)))


def is_over(plan: Plan, figures: Figures) -> bool:
    """Whether the test has ended: what is found later, a planned one does not look at."""
    if plan.test == "planned":
        return _end_of(_course(plan, figures)) is not None
    return figures.days >= plan.horizon_days


def _goals_of(plan: Plan, figures: Figures, variant: str, course: Sequence[float]) -> list[GoalReading]:
    alpha = plan.alpha / len(treatments_of(plan))
    end = _end_of(course)
    metrics = figures.metrics if end is None else figures.looks[end]
    found = [_compare(METRICS[name], plan, figures, metrics, variant, alpha) for name in plan.goals]
    looks = _looks(plan, figures, variant, alpha, course)
    first = _first_goal(plan, metrics, found[0], looks)
    p_values = [_readable_p(plan, one, is_ended=end is not None) for one in found[1:]]
    known = [p for p in p_values if p is not None]
    adjusted = iter(adjust(known))
    later = []
    for comparison, p in zip(found[1:], p_values, strict=True):
        p_adjusted = None if p is None else next(adjusted)
        is_sure = first.is_sure and p_adjusted is not None and p_adjusted <= alpha
        is_sure = is_sure and _is_carried(plan, metrics, comparison)
        later.append(GoalReading(comparison, p_adjusted, is_sure, chance=_chance(plan, metrics, comparison)))
    return [first, *later]


def _first_goal(plan: Plan, metrics: Metrics, comparison: Comparison, looks: tuple[Look, ...]) -> GoalReading:
    p = _readable_p(plan, comparison, is_ended=False)
    found = GoalReading(comparison, p, False, looks, _chance(plan, metrics, comparison))
    if plan.test == "planned":
        # What has crossed and turned since is told no more: that takes from the false alarms, if anything.
        crossed = found.crossed
        is_told = crossed is not None and crossed.z * comparison.gain * comparison.metric.sign > 0
    else:
        is_told = p is not None and p <= comparison.alpha
    is_sure = is_told and _is_carried(plan, metrics, comparison)
    return GoalReading(comparison, p, is_sure, looks, found.chance)


def _is_carried(plan: Plan, metrics: Metrics, comparison: Comparison) -> bool:
    metric = comparison.metric
    groups = (parts_in(metrics, metric.name, name) for name in (plan.control.name, comparison.variant))
    return min(carrying(metric, parts) for parts in groups) >= LEAST_CARRYING


def _compare(
    metric: Metric, plan: Plan, figures: Figures, metrics: Metrics, variant: str, alpha: float
) -> Comparison:
    control = plan.control.name
    if metric.shape == "latency":
        return _compare_latency(metric, figures, control, variant, alpha)
    share = plan.weights[control] + plan.weights[variant]
    planned = None if figures.planned_units is None else max(figures.planned_units * share, 1.0)
    one, two = parts_in(metrics, metric.name, control), parts_in(metrics, metric.name, variant)
    return compare(metric, variant, one, two, alpha=alpha, planned=planned)


def _compare_latency(
    metric: Metric, figures: Figures, control: str, variant: str, alpha: float
) -> Comparison:
    one = LatencyHistogram.from_json(figures.latencies.get(control, {}))
    two = LatencyHistogram.from_json(figures.latencies.get(variant, {}))
    blown_up = max(_design_effect(figures, name) for name in (control, variant))
    return Comparison(
        metric=metric,
        variant=variant,
        alpha=alpha,
        control=one.quantile(LATENCY_QUANTILE) if one.n else None,
        treatment=two.quantile(LATENCY_QUANTILE) if two.n else None,
        fixed=quantile_shift(one, two, LATENCY_QUANTILE, alpha, blown_up),
        any_time=always_valid_quantile_shift(one, two, LATENCY_QUANTILE, alpha, blown_up),
    )


def _design_effect(figures: Figures, variant: str) -> float:
    """Kish's, of units with unequally many lists: ``1 + (sum m^2 / sum m - 1) correlation``."""
    _, lists, lists_squares, *_ = parts_in(figures.metrics, "lists_per_unit", variant)
    return 1 + max(lists_squares / lists - 1, 0.0) * WITHIN_UNITS if lists > 0 else 1.0


def _course(plan: Plan, figures: Figures) -> list[float]:
    """How much of the planned information each look has, up to the end; none of a test without a plan."""
    found: list[float] = []
    for number in range(len(figures.looks) if plan.test == "planned" else 0):
        found.append(_fraction(plan, figures, number))
        if found[-1] >= 1:
            break
    return found


def _end_of(course: Sequence[float]) -> int | None:
    """The look that has all of the plan: its units, or the last day of its horizon."""
    return len(course) - 1 if course and course[-1] >= 1 else None


def _looks(
    plan: Plan, figures: Figures, variant: str, alpha: float, course: Sequence[float]
) -> tuple[Look, ...]:
    """At the first goal: of each full day with units more than the day before, up to the end."""
    metric = METRICS[plan.goals[0]]
    taken: list[tuple[int, float, float]] = []
    for number, fraction in enumerate(course):
        groups = (parts_in(figures.looks[number], metric.name, of) for of in (plan.control.name, variant))
        z = _z(metric, *groups) if fraction > (taken[-1][1] if taken else 0) else None
        if z is not None:
            taken.append((number + 1, fraction, z))
    bounds = _bounds(tuple(fraction for _, fraction, _ in taken), alpha)
    return tuple(Look(*look, bound) for look, bound in zip(taken, bounds, strict=True))


@lru_cache(maxsize=1024)
def _bounds(fractions: Sequence[float], alpha: float) -> list[float]:
    return group_sequential_bounds(fractions, alpha)


def _fraction(plan: Plan, figures: Figures, number: int) -> float:
    """Of the information that was planned: units, or days where no number of units was foreseen.

    The end of the horizon is the end, with however many units.
    """
    days = number + 1
    if days >= plan.horizon_days:
        return 1.0
    if figures.planned_units is None:
        return days / plan.horizon_days
    units = sum(units_in(figures.looks[number], plan).values())
    return min(units / figures.planned_units, 1.0)


def _z(metric: Metric, control: Parts, treatment: Parts) -> float | None:
    one, two = moments(sample_of(metric, control)), moments(sample_of(metric, treatment))
    if one is None or two is None or min(one.n, two.n) < 2 or one.of_mean + two.of_mean <= 0:
        return None
    return (two.mean - one.mean) / math.sqrt(one.of_mean + two.of_mean)


def _readable_p(plan: Plan, comparison: Comparison, *, is_ended: bool) -> float | None:
    """At any time what is always valid; of a plan the fixed p, once it has ended."""
    if plan.test != "planned":
        return comparison.any_time.p_value
    return comparison.fixed.p_value if is_ended else None


def _chance(plan: Plan, metrics: Metrics, comparison: Comparison) -> Chance | None:
    """A description, of binary metrics: nothing stops or ships by it."""
    if comparison.metric.shape != "binary":
        return None
    name = comparison.metric.name
    control, treatment = (parts_in(metrics, name, of) for of in (plan.control.name, comparison.variant))
    return chance_to_beat(counts_of(control), counts_of(treatment))


def _harm(comparison: Comparison) -> float | None:
    """What nobody notices is no harm: of lists that take 5 ms half as much again is 2.5 ms.

    What is 0 in the control cannot fall, so there is none though no lift can be told of it. Of what viewers
    say 0 in both may mean that nothing is counted any more: nobody can tell.
    """
    if comparison.harm is not None:
        return min(comparison.harm, 0.0) if -comparison.gain <= comparison.metric.least else comparison.harm
    if comparison.control != 0:
        return None
    is_known = comparison.gain > 0 or (comparison.gain == 0 and comparison.metric.is_of_lists)
    return 0.0 if is_known else None


def _guardrail(
    metric: Metric, margin: float, plan: Plan, figures: Figures, variant: str, alpha: float
) -> GuardrailReading:
    comparison = _compare(metric, plan, figures, figures.metrics, variant, alpha)
    harm, interval, units = _harm(comparison), comparison.interval, figures.units(plan)
    is_enough = min(units[plan.control.name], units[variant]) >= LEAST_UNITS
    if metric.shape != "latency":
        is_enough = is_enough and _is_carried(plan, figures.metrics, comparison)
    is_chance = interval is None or interval[0] <= 0 <= interval[1]
    is_broken = is_enough and not is_chance and harm is not None and bool(harm > margin)
    return GuardrailReading(comparison, margin, harm, is_broken)
