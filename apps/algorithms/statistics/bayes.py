"""A description of two rates in the language of chances: never a rule to stop by."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import betainc, betaincinv, betaln, xlog1py, xlogy

from apps.algorithms.statistics.samples import Counts, Interval, Status
from apps.algorithms.types import Float64

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_FAR = 1e-13
"""Chance left out on either side of the integral."""


@dataclass(frozen=True)
class Chance:
    """``chance_to_beat`` is that of the treatment's rate to be the higher one, 0 to 1.

    ``expected_loss``, in the rate's unit, is what choosing the treatment loses in the mean: how far its rate
    is below control's, 0 where it is above. Intervals hold 95 %.
    """

    chance_to_beat: float | None
    expected_loss: float | None
    control_interval: Interval | None
    treatment_interval: Interval | None
    status: Status


def chance_to_beat(control: Counts, treatment: Counts, prior: tuple[float, float] = (1.0, 1.0)) -> Chance:
    """Beta posteriors of two rates under one Beta prior, by quadrature: error below 1e-9.

    Raises ``ValueError`` for counts that cannot be and a prior not above 0.
    """
    if min(prior) <= 0:
        raise ValueError("both numbers of the prior must lie above 0")
    for counts in (control, treatment):
        if counts.n < 0 or not 0 <= counts.successes <= counts.n:
            raise ValueError(f"{counts.successes:g} successes of {counts.n:g} units cannot be")
    if control.n == 0 or treatment.n == 0:
        return Chance(None, None, None, None, "insufficient_data")
    (a1, b1), (a2, b2) = (
        (prior[0] + counts.successes, prior[1] + counts.n - counts.successes)
        for counts in (control, treatment)
    )
    # Over the narrower of the two, for which the other one's distribution is no step.
    if _variance(a2, b2) <= _variance(a1, b1):
        chance = _mean_below(a2, b2, a1, b1)
    else:
        chance = 1 - _mean_below(a1, b1, a2, b2)
    # E[(c - t)+] is the integral of P(t < x) P(c > x): between each two ends, so that neither is a step.
    loss, ends = 0.0, sorted({*_ends(a1, b1), *_ends(a2, b2)})
    for low, high in pairwise(ends):
        x, weights = _nodes(low, high)
        loss += float(weights @ (betainc(a2, b2, x) * (1 - betainc(a1, b1, x))))
    return Chance(
        chance_to_beat=min(max(chance, 0.0), 1.0),
        expected_loss=max(loss, 0.0),
        control_interval=_interval(a1, b1),
        treatment_interval=_interval(a2, b2),
        status="ok",
    )


def _variance(a: float, b: float) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))


def _mean_below(a: float, b: float, other_a: float, other_b: float) -> float:
    """The chance that a draw of the other distribution is below one of ``Beta(a, b)``."""
    x, weights = _nodes(*_ends(a, b))
    density = np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))
    return float(weights @ (density * betainc(other_a, other_b, x)))


def _ends(a: float, b: float) -> Interval:
    return float(betaincinv(a, b, _FAR)), float(betaincinv(a, b, 1 - _FAR))


def _nodes(low: float, high: float) -> tuple[Float64, Float64]:
    half = (high - low) / 2
    return low + half * (_NODES + 1), _WEIGHTS * half


def _interval(a: float, b: float) -> Interval:
    return float(betaincinv(a, b, 0.025)), float(betaincinv(a, b, 0.975))
