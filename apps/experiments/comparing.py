"""One metric of two variants, by the test that its shape asks for."""

from dataclasses import dataclass, replace

from apps.algorithms.statistics import (
    Counts,
    Effect,
    PairedSample,
    RatioSample,
    Sample,
    always_valid,
    chi_square,
    cuped,
    ratio,
    welch,
)
from apps.experiments.figures import Parts
from apps.experiments.metrics import Metric


@dataclass(frozen=True)
class Comparison:
    """A treatment against the control.

    ``fixed`` may be read once, when the horizon that was planned is reached; ``any_time`` at every look.
    ``adjusted`` is ``fixed`` less what units differed by before they were exposed; None for shapes that have
    no such thing. ``control`` and ``treatment`` are the values of each.
    """

    metric: Metric
    variant: str
    control: float | None
    treatment: float | None
    fixed: Effect
    any_time: Effect
    adjusted: Effect | None


Summed = Counts | Sample | RatioSample


def compare(
    metric: Metric, variant: str, control: Parts, treatment: Parts, *, alpha: float, tuning: float
) -> Comparison:
    """Of a metric that is no latency. ``tuning`` as in ``always_valid``."""
    one, two = sample_of(metric, control), sample_of(metric, treatment)
    adjusted = None
    if metric.shape == "mean":
        adjusted = cuped(_paired(control), _paired(treatment), alpha)
    return Comparison(
        metric=metric,
        variant=variant,
        control=value_of(metric, control),
        treatment=value_of(metric, treatment),
        fixed=_fixed(one, two, alpha),
        any_time=always_valid(one, two, alpha, tuning, relative=not metric.absolute),
        adjusted=adjusted,
    )


def sample_of(metric: Metric, parts: Parts) -> Summed:
    n, top, top_squares, bottom, bottom_squares, products, *_ = parts
    if metric.shape == "binary":
        return Counts(top, n)
    if metric.shape == "ratio":
        return RatioSample(n, top, top_squares, bottom, bottom_squares, products)
    return Sample(n, top, top_squares)


def value_of(metric: Metric, parts: Parts) -> float | None:
    """The metric of a group; None where there is nothing to divide by."""
    n, top, _, bottom, *_ = parts
    under = bottom if metric.shape == "ratio" else n
    return top / under if under > 0 else None


def _fixed(one: Summed, two: Summed, alpha: float) -> Effect:
    if isinstance(one, RatioSample) and isinstance(two, RatioSample):
        return ratio(one, two, alpha)
    if isinstance(one, Counts) and isinstance(two, Counts):
        # The interval is Welch's of ones and zeros; what decides is the chi-square of the counts.
        found = welch(_of_counts(one), _of_counts(two), alpha)
        tested = chi_square([one, two])
        return found if tested.p_value is None else _with_p(found, tested.p_value)
    assert isinstance(one, Sample)
    assert isinstance(two, Sample)
    return welch(one, two, alpha)


def _of_counts(counts: Counts) -> Sample:
    return Sample(counts.n, counts.successes, counts.successes)


def _with_p(effect: Effect, p_value: float) -> Effect:
    return replace(effect, p_value=p_value)


def _paired(parts: Parts) -> PairedSample:
    n, top, top_squares, _, _, _, pre, pre_squares, pre_products = parts
    return PairedSample(n, top, top_squares, pre, pre_squares, pre_products)
