"""Whether an experiment can be read at all: the ratio of its groups, and the units that it needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import chdtrc, ndtr, ndtri

from apps.algorithms.statistics.samples import quantile, require_alpha

_WEIGHT_TOLERANCE = 1e-9


_LEAST_EXPECTED = 1e-12


@dataclass(frozen=True)
class SampleRatio:
    """``mismatch`` says that the groups are not what their weights promise. ``p_value`` and ``chi2`` are None
    where no unit was seen.
    """

    p_value: float | None
    chi2: float | None
    mismatch: bool


def srm(observed: Sequence[float], weights: Sequence[float], threshold: float = 0.001) -> SampleRatio:
    """Sample ratio mismatch: Pearson's test of units by group against the weights that they were assigned by
    (Fabijan et al., KDD 2019).

    ``weights``, at least 0, need not be 1 in sum. A unit in a group of weight 0 is a mismatch by itself.
    Raises ``ValueError`` for lengths that differ, and weights that are negative or all 0.
    """
    if len(observed) != len(weights):
        raise ValueError(f"{len(observed)} groups and {len(weights)} weights do not go together")
    if any(not weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise ValueError("weights must be at least 0, and one of them above")
    if any(not units >= 0 for units in observed):
        raise ValueError("units seen must be at least 0")
    if any(units > 0 and weight == 0 for units, weight in zip(observed, weights, strict=True)):
        return SampleRatio(0.0, math.inf, mismatch=True)
    total, whole = sum(observed), sum(weights)
    used = [
        (units, weight / whole * total) for units, weight in zip(observed, weights, strict=True) if weight
    ]
    if total == 0 or len(used) < 2:
        return SampleRatio(None, None, mismatch=False)
    if min(expected for _, expected in used) < _LEAST_EXPECTED:
        raise ValueError("a weight is so small beside the others that it expects nobody: make it 0")
    chi2 = sum((units - expected) ** 2 / expected for units, expected in used)
    p_value = float(chdtrc(len(used) - 1, chi2))
    return SampleRatio(p_value, chi2, mismatch=p_value < threshold)


def sample_size(baseline: float, relative_mde: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units that each of two groups needs, so that a rate's change of ``relative_mde`` is found.

    ``baseline`` is control's rate; each group has the variance of its own rate (Fleiss, Levin and Paik,
    Statistical Methods for Rates and Proportions, chapter 4, without a correction). Raises ``ValueError`` for
    rates that are not between 0 and 1, and no change at all.
    """
    require_alpha(alpha)
    changed = baseline * (1 + relative_mde)
    if not 0 < baseline < 1 or not 0 < changed < 1:
        raise ValueError(f"both rates must lie between 0 and 1, not {baseline:g} and {changed:g}")
    if (changed - baseline) ** 2 == 0:
        raise ValueError("no number of units finds a change of nothing")
    if not 0 < power < 1:
        raise ValueError(f"power must lie between 0 and 1, not at {power}")
    far = quantile(alpha) + float(ndtri(power))
    variance = baseline * (1 - baseline) + changed * (1 - changed)
    return max(1, math.ceil(far * far * variance / (changed - baseline) ** 2))


def power(p_control: float, p_treatment: float, n_per_arm: float, alpha: float = 0.05) -> float:
    """The chance that two groups of ``n_per_arm`` units tell these rates apart; ``alpha`` where they are one.

    Normal, two-sided, each group with the variance of its own rate. 0 units find nothing. Raises
    ``ValueError`` for rates outside 0 to 1.
    """
    require_alpha(alpha)
    for rate in (p_control, p_treatment):
        if not 0 <= rate <= 1:
            raise ValueError(f"a rate must lie between 0 and 1, not at {rate:g}")
    if n_per_arm <= 0:
        return 0.0
    variance = (p_control * (1 - p_control) + p_treatment * (1 - p_treatment)) / n_per_arm
    if variance == 0:
        return 1.0 if p_control != p_treatment else 0.0
    shift, far = (p_treatment - p_control) / math.sqrt(variance), quantile(alpha)
    return float(ndtr(shift - far) + ndtr(-shift - far))
