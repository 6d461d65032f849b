"""Effects read once, at an end that was planned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import chdtrc

from apps.algorithms.statistics.samples import (
    LEAST_VARIANCE,
    Counts,
    Effect,
    Moments,
    PairedSample,
    RatioSample,
    Sample,
    Status,
    moments,
    nothing_known,
    quantile,
    relative_lift,
    require_alpha,
    require_computable,
    spread,
    two_sided,
)


@dataclass(frozen=True)
class ChiSquare:
    """Of two groups ``abs_diff`` is the second's rate less the first's and ``rel_lift`` that relative to the
    first; of more both are None.
    """

    chi2: float | None
    p_value: float | None
    dof: int
    abs_diff: float | None
    rel_lift: float | None
    status: Status


@dataclass(frozen=True)
class AdjustedEffect(Effect):
    """``theta`` is the slope by which the time before was taken off, ``variance_reduction`` the part of the
    variance that it took, 0 to 1.
    """

    theta: float | None
    variance_reduction: float | None


def chi_square(groups: Sequence[Counts]) -> ChiSquare:
    """Pearson's test that all groups have one rate, without a correction for continuity (Pearson 1900).

    Only for what a unit can be once at most. Raises ``ValueError`` for fewer than two groups and for counts
    that cannot be.
    """
    if len(groups) < 2:
        raise ValueError("a comparison needs at least two groups")
    for group in groups:
        if group.n < 0 or not 0 <= group.successes <= group.n:
            raise ValueError(f"{group.successes:g} successes of {group.n:g} units cannot be")
    dof = len(groups) - 1
    total, successes = sum(group.n for group in groups), sum(group.successes for group in groups)
    if any(group.n == 0 for group in groups) or successes in (0, total):
        return ChiSquare(None, None, dof, *_differences(groups), "insufficient_data")
    rate = successes / total
    chi2 = sum((group.successes - group.n * rate) ** 2 / (group.n * rate * (1 - rate)) for group in groups)
    return ChiSquare(chi2, float(chdtrc(dof, chi2)), dof, *_differences(groups), "ok")


def welch(control: Sample, treatment: Sample, alpha: float = 0.05) -> Effect:
    """Difference of two means of unequal variance (Welch 1947); the relative interval by the delta method."""
    require_alpha(alpha)
    return _compare(moments(control), moments(treatment), alpha, student=True)


def ratio(control: RatioSample, treatment: RatioSample, alpha: float = 0.05) -> Effect:
    """Difference of two ratios of sums, such as clicks over films shown, units being independent and what one
    unit was shown not (delta method, Deng, Knoblich and Lu, KDD 2018). Normal.
    """
    require_alpha(alpha)
    return _compare(moments(control), moments(treatment), alpha, student=False)


def cuped(control: PairedSample, treatment: PairedSample, alpha: float = 0.05) -> AdjustedEffect:
    """Difference of means, less what the time before explains (Deng, Xu, Kohavi and Walker, WSDM 2013).

    ``theta`` is pooled over both groups, so that taking it off favours neither. Without variance before, it
    is 0 and this is ``welch``.
    """
    require_alpha(alpha)
    groups = (control, treatment)
    for group in groups:
        require_computable(*vars(group).values())
    if any(group.n < 2 for group in groups):
        return AdjustedEffect(None, None, None, None, None, None, "insufficient_data", None, None)
    spreads = [_spreads(group) for group in groups]
    post, pre, product = (sum(column) for column in zip(*spreads, strict=True))
    theta = product / pre if pre > 0 else 0.0
    overall = sum(group.pre_sum for group in groups) / sum(group.n for group in groups)
    adjusted = [_taken_off(group, sums, theta, overall) for group, sums in zip(groups, spreads, strict=True)]
    effect = _compare(adjusted[0], adjusted[1], alpha, student=True)
    left = post - 2 * theta * product + theta * theta * pre
    reduction = 1 - left / post if post > 0 else 0.0
    return AdjustedEffect(**vars(effect), theta=theta, variance_reduction=min(max(reduction, 0.0), 1.0))


def _differences(groups: Sequence[Counts]) -> tuple[float | None, float | None]:
    if len(groups) != 2 or any(group.n == 0 for group in groups):
        return None, None
    first, second = (group.successes / group.n for group in groups)
    return second - first, (second - first) / first if first else None


def _compare(control: Moments | None, treatment: Moments | None, alpha: float, *, student: bool) -> Effect:
    if control is None or treatment is None:
        return nothing_known()
    estimate = treatment.mean - control.mean
    variance = control.of_mean + treatment.of_mean
    if variance <= LEAST_VARIANCE or min(control.n, treatment.n) < 2:
        return nothing_known(estimate=estimate)
    df = _welch_satterthwaite(control, treatment) if student else None
    far, error = quantile(alpha, df), math.sqrt(variance)
    lift = relative_lift(control, treatment)
    rel_lift, rel_ci = None, None
    if lift is not None:
        rel_lift, rel_variance = lift
        rel_error = far * math.sqrt(rel_variance)
        rel_ci = (rel_lift - rel_error, rel_lift + rel_error)
    return Effect(
        estimate=estimate,
        p_value=two_sided(estimate / error, df),
        ci=(estimate - far * error, estimate + far * error),
        rel_lift=rel_lift,
        rel_ci=rel_ci,
        df=df,
        status="ok",
    )


def _welch_satterthwaite(control: Moments, treatment: Moments) -> float:
    parts = [(one.of_mean, one.n - 1) for one in (control, treatment)]
    return sum(part for part, _ in parts) ** 2 / sum(part * part / df for part, df in parts)


def _spreads(group: PairedSample) -> tuple[float, float, float]:
    """Sums of squares and products about the means: after, before, and of both."""
    post, pre = group.post_sum / group.n, group.pre_sum / group.n
    return (
        spread(group.post_sum_squares, group.n * post * post),
        spread(group.pre_sum_squares, group.n * pre * pre),
        group.post_pre_sum_products - group.n * post * pre,
    )


def _taken_off(
    group: PairedSample, spreads: tuple[float, float, float], theta: float, overall: float
) -> Moments:
    post, pre, product = spreads
    mean = group.post_sum / group.n - theta * (group.pre_sum / group.n - overall)
    squares = max(post - 2 * theta * product + theta * theta * pre, 0.0)
    return Moments(group.n, mean, squares / (group.n - 1))
