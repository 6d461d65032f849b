"""One metric of two variants, by the test that its shape asks for."""

from dataclasses import dataclass, replace

from apps.algorithms.statistics import (
    Counts,
    Effect,
    PairedSample,
    RatioSample,
    Sample,
    always_valid,
    always_valid_by_plan,
    chi_square,
    cuped,
    ratio,
    welch,
)
from apps.experiments.figures import Parts
from apps.experiments.metrics import Metric

Summed = Counts | Sample | RatioSample


@dataclass(frozen=True)
class Comparison:
    """A treatment against the control.

    ``fixed`` may be read once, when the horizon that was planned is reached; ``any_time`` at every look.
    Effects are relative unless the metric says that it is ``absolute``. ``adjusted`` is ``fixed`` less what
    units differed by before they were exposed; None for shapes that have no such thing. ``control`` and
    ``treatment`` are the values of each.
    """

    metric: Metric
    variant: str
    control: float | None
    treatment: float | None
    fixed: Effect
    any_time: Effect
    adjusted: Effect | None = None


def compare(
    metric: Metric,
    variant: str,
    control: Parts,
    treatment: Parts,
    *,
    alpha: float,
    planned: float | None = None,
) -> Comparison:
    """Of a metric that is no latency. ``planned`` are the units of both at the horizon, if it is known."""
    one, two = sample_of(metric, control), sample_of(metric, treatment)
    return Comparison(
        metric=metric,
        variant=variant,
        control=value_of(metric, control),
        treatment=value_of(metric, treatment),
        fixed=fixed_effect(metric, control, treatment, alpha),
        any_time=_any_time(one, two, alpha, planned, relative=not metric.absolute),
        adjusted=cuped(_paired(control), _paired(treatment), alpha) if metric.shape == "mean" else None,
    )


def fixed_effect(metric: Metric, control: Parts, treatment: Parts, alpha: float) -> Effect:
    """To be read once. The p of a binary metric is that of the chi-square, its interval Welch's."""
    if metric.shape == "ratio":
        return ratio(_ratio(control), _ratio(treatment), alpha)
    if metric.shape == "mean":
        return welch(_mean(control), _mean(treatment), alpha)
    found = welch(_mean(control), _mean(treatment), alpha)
    tested = chi_square([counts_of(control), counts_of(treatment)])
    return (
        found if tested.p_value is None or found.p_value is None else replace(found, p_value=tested.p_value)
    )


def sample_of(metric: Metric, parts: Parts) -> Summed:
    if metric.shape == "binary":
        return counts_of(parts)
    return _ratio(parts) if metric.shape == "ratio" else _mean(parts)


def value_of(metric: Metric, parts: Parts) -> float | None:
    """The metric of a group; None where there is nothing to divide by."""
    n, top, _, bottom, *_ = parts
    under = bottom if metric.shape == "ratio" else n
    return top / under if under > 0 else None


def _any_time(one: Summed, two: Summed, alpha: float, planned: float | None, *, relative: bool) -> Effect:
    if planned is None:
        return always_valid(one, two, alpha, relative=relative)
    return always_valid_by_plan(one, two, planned=planned, alpha=alpha, relative=relative)


def counts_of(parts: Parts) -> Counts:
    n, top, *_ = parts
    return Counts(top, n)


def _mean(parts: Parts) -> Sample:
    """Of a binary metric too: the square of 1 is 1."""
    n, top, top_squares, *_ = parts
    return Sample(n, top, top_squares)


def _ratio(parts: Parts) -> RatioSample:
    n, top, top_squares, bottom, bottom_squares, products, *_ = parts
    return RatioSample(n, top, top_squares, bottom, bottom_squares, products)


def _paired(parts: Parts) -> PairedSample:
    n, top, top_squares, _, _, _, pre, pre_squares, pre_products = parts
    return PairedSample(n, top, top_squares, pre, pre_squares, pre_products)
