"""What the tests of this package take and give: sums of independent units, and an effect."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from scipy.special import ndtri, stdtr, stdtrit

Status = Literal["ok", "insufficient_data"]
Interval = tuple[float, float]
LEAST_VARIANCE = 1e-150
"""Of an estimate: one that is smaller is rounding, and its square cannot be divided by."""
_SPECK = 1e-12
"""Of a sum of squares: what rounding leaves of values that are equal."""
_LEAST = 1e-100
"""What is below it counts as 0: its square cannot be divided by."""


@dataclass(frozen=True)
class Counts:
    """``successes`` of ``n`` units, each of which can be one at most once."""

    successes: float
    n: float


@dataclass(frozen=True)
class Sample:
    """``n`` values, one a unit: their sum and the sum of their squares."""

    n: float
    sum: float
    sum_squares: float


@dataclass(frozen=True)
class RatioSample:
    """A numerator and a denominator a unit, such as clicks and films shown: sums over ``n_users`` units."""

    n_users: float
    num_sum: float
    num_sum_squares: float
    den_sum: float
    den_sum_squares: float
    num_den_sum_products: float


@dataclass(frozen=True)
class PairedSample:
    """A value a unit of the time before it was exposed, and one of after: sums over ``n`` units."""

    n: float
    post_sum: float
    post_sum_squares: float
    pre_sum: float
    pre_sum_squares: float
    post_pre_sum_products: float


MOST = 1e100
"""Of a sum: nothing that is counted of people comes near it."""


@dataclass(frozen=True)
class Effect:
    """What the treatment adds.

    estimate
        Treatment less control, in the metric's unit; relative to control where so asked for.
    p_value
        Two-sided, 0 to 1.
    ci
        Of ``estimate``, with coverage ``1 - alpha``.
    rel_lift, rel_ci
        Relative to control; None where control's is 0, and the interval also where it could have no end.
    df
        Degrees of freedom; None where the normal distribution is taken.
    status
        ``insufficient_data`` where nothing can be said; then p, the interval and what else is not known are
        None, but see ``always_valid``.
    """

    estimate: float | None
    p_value: float | None
    ci: Interval | None
    rel_lift: float | None
    rel_ci: Interval | None
    df: float | None
    status: Status


class Moments(NamedTuple):
    """A mean, and the variance of one unit's part of it: the mean's own is ``variance / n``."""

    n: float
    mean: float
    variance: float

    @property
    def of_mean(self) -> float:
        return self.variance / self.n


def moments(sample: Counts | Sample | RatioSample) -> Moments | None:
    """None where there is no unit, or no denominator. Raises ``ValueError`` for sums beyond ``MOST``, whose
    squares no float holds.

    Of counts the variance is ``p (1 - p)``; of a ratio that of its linearisation by the delta method,
    ``(num - ratio den) / mean den`` (Deng, Knoblich and Lu, KDD 2018, section 2).
    """
    require_computable(*vars(sample).values())
    if isinstance(sample, Counts):
        if sample.n <= 0:
            return None
        rate = sample.successes / sample.n
        return Moments(sample.n, rate, max(rate * (1 - rate), 0.0))
    if isinstance(sample, Sample):
        return _of_values(sample.n, sample.sum, sample.sum_squares)
    if sample.n_users <= 0 or sample.den_sum <= _LEAST * sample.n_users:
        return None
    ratio, n = sample.num_sum / sample.den_sum, sample.n_users
    # The linearised values sum to zero, so their squares are their variance.
    squares = (
        sample.num_sum_squares
        - 2 * ratio * sample.num_den_sum_products
        + ratio * ratio * sample.den_sum_squares
    )
    if squares <= _SPECK * sample.num_sum_squares:
        squares = 0.0
    per_unit = sample.den_sum / n
    return Moments(n, ratio, squares / (n - 1) / per_unit**2 if n > 1 else 0.0)


def require_computable(*sums: float) -> None:
    beyond = [one for one in sums if not abs(one) <= MOST]
    if beyond:
        raise ValueError(f"a sum must lie between -{MOST:g} and {MOST:g}, not at {beyond[0]:g}")


def _of_values(n: float, total: float, squares: float) -> Moments | None:
    if n <= 0:
        return None
    mean = total / n
    return Moments(n, mean, spread(squares, n * mean * mean) / (n - 1) if n > 1 else 0.0)


def spread(squares: float, of_mean: float) -> float:
    """The sum of squares about the mean; 0 where it is what rounding leaves of equal values."""
    left = squares - of_mean
    return left if left > _SPECK * max(abs(squares), 1e-300) else 0.0


def relative_lift(control: Moments, treatment: Moments) -> tuple[float, float] | None:
    """The relative lift and its variance by the delta method; None where control's mean is 0."""
    if abs(control.mean) <= _LEAST:
        return None
    ratio = treatment.mean / control.mean
    variance = (_not_sure(treatment, control) + ratio * ratio * control.of_mean) / control.mean**2
    return ratio - 1, variance


def relative_interval(control: Moments, treatment: Moments, width: float) -> Interval | None:
    """The relative lifts whose ratio is within ``width`` standard errors (Fieller, Some problems in interval
    estimation, 1954); None where control's mean is within as many of 0, so that no lift is too large.

    With the width of a test of the difference it leaves 0 out exactly where that test does, if the treatment
    varied at all.
    """
    square = control.mean**2 - width * width * control.of_mean
    if square <= _LEAST**2:
        return None
    both = treatment.mean * control.mean
    rest = treatment.mean**2 - width * width * _not_sure(treatment, control)
    far = math.sqrt(max(both * both - square * rest, 0.0))
    return (both - far) / square - 1, (both + far) / square - 1


def _not_sure(one: Moments, other: Moments) -> float:
    """The variance of a mean. A group that never varied, as without a success, takes the other's."""
    return one.of_mean or other.variance / one.n


def two_sided(z: float, df: float | None = None) -> float:
    """The chance of a value at least as far from 0, of the normal or Student's t distribution."""
    tail = stdtr(df, -abs(z)) if df is not None else 0.5 * math.erfc(abs(z) / math.sqrt(2))
    return float(min(1.0, 2 * tail))


def quantile(alpha: float, df: float | None = None) -> float:
    """What a value exceeds on either side with chance ``alpha``."""
    return float(stdtrit(df, 1 - alpha / 2) if df is not None else -ndtri(alpha / 2))


def require_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not at {alpha}")


def nothing_known(*, estimate: float | None = None, p_value: float | None = None) -> Effect:
    return Effect(estimate, p_value, None, None, None, None, "insufficient_data")
