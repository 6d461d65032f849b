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
from apps.algorithms.statistics.samples import Interval
from apps.experiments.figures import Parts
from apps.experiments.metrics import Metric

Summed = Counts | Sample | RatioSample


@dataclass(frozen=True)
class Comparison:
    """A treatment against the control.

    ``fixed`` may be read once, when the horizon that was planned is reached; ``any_time`` at every look.
    All are effects of the difference, with the lift beside it. ``adjusted`` is ``fixed`` less what
    units differed by before they were exposed; None for shapes that have no such thing. Intervals of all have
    coverage ``1 - alpha``. ``control`` and ``treatment`` are the values of each.
    """

    metric: Metric
    variant: str
    alpha: float
    control: float | None
    treatment: float | None
    fixed: Effect
    any_time: Effect
    adjusted: Effect | None = None

    @property
    def gain(self) -> float:
        """Treatment less control, above 0 where it is better; 0 where either is unknown."""
        if self.control is None or self.treatment is None:
            return 0.0
        return (self.treatment - self.control) * self.metric.sign

    @property
    def harm(self) -> float | None:
        """How much worse it is, relative unless the metric is absolute; None where nobody can tell."""
        if self.control is None or self.treatment is None:
            return None
        if self.metric.absolute:
            return -self.gain
        return -self.gain / self.control if self.control > 0 else None

    @property
    def interval(self) -> Interval | None:
        """That of any time: of the difference where the metric is absolute, else of the lift."""
        return self.any_time.ci if self.metric.absolute else self.any_time.rel_ci


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
    return Comparison(
        metric=metric,
        variant=variant,
        alpha=alpha,
        control=value_of(metric, control),
        treatment=value_of(metric, treatment),
        fixed=fixed_effect(metric, control, treatment, alpha),
        any_time=_any_time(*_varied(metric, control, treatment), alpha, planned),
        adjusted=cuped(_paired(control), _paired(treatment), alpha) if metric.shape == "mean" else None,
    )


def _varied(metric: Metric, control: Parts, treatment: Parts) -> tuple[Summed, Summed]:
    """Of a rate that is 0 on most sites each group with a unit more that has it and one that has not (Agresti
    and Coull 1998): a group of which every list failed varies as little as one of which none did, and would
    tell nothing. It draws both towards one half, so towards each other.
    """
    groups = (control, treatment)
    if metric.absolute:
        groups = tuple(_one_of_each(parts) for parts in groups)  # type: ignore[assignment] # still two
    one, two = (sample_of(metric, parts) for parts in groups)
    return one, two


def _one_of_each(parts: Parts) -> Parts:
    n, top, top_squares, bottom, bottom_squares, products, *rest = parts
    if n == 0:
        return parts
    return (n + 2, top + 1, top_squares + 1, bottom + 2, bottom_squares + 2, products + 1, *rest)


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


def carrying(metric: Metric, parts: Parts) -> float:
    """How many units the metric rests on: of a ratio Kish's effective number of those that bring its
    denominator, ``(sum d)^2 / sum d^2``, which is few where few rate however many are there.
    """
    n, _, _, bottom, bottom_squares, *_ = parts
    if metric.shape != "ratio":
        return n
    return bottom * bottom / bottom_squares if bottom_squares > 0 else 0.0


def _any_time(one: Summed, two: Summed, alpha: float, planned: float | None) -> Effect:
    if planned is None:
        return always_valid(one, two, alpha)
    return always_valid_by_plan(one, two, planned=planned, alpha=alpha)


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
