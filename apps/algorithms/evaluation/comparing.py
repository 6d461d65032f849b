"""Whether one way of making lists is better than another, on the same viewers."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.evaluation.reports import Report
from apps.algorithms.types import Float64

N_RESAMPLES = 10_000
CONFIDENCE = 0.95
_CELLS = 4_000_000


@dataclass(frozen=True)
class Difference:
    """The mean of b - a over viewers, its interval, and a two-sided p-value of a single comparison."""

    value: float
    low: float
    high: float
    p_value: float


def compare(a: Report, b: Report, rng: np.random.Generator) -> Difference | None:
    """nDCG of ``b`` less that of ``a``, by the paired bootstrap over viewers; None without viewers.

    Percentile interval of 95 % from 10,000 resamples of viewers, drawn by ``rng``; the p-value is
    twice the smaller tail beyond 0, at least 2 / 10,001 (Efron and Tibshirani 1993, chapters 13, 16;
    for retrieval: Sakai, SIGIR 2006). Raises ``ValueError`` when the two measured other viewers.
    """
    if not np.array_equal(a.users, b.users):
        raise ValueError("only reports on the same viewers can be compared")
    differences = b.ndcg_by_user - a.ndcg_by_user
    if len(differences) == 0:
        return None
    return difference(float(differences.mean()), resample(differences[:, None], rng)[:, 0])


def difference(value: float, resampled: Float64) -> Difference:
    """``value`` with what its ``resampled`` values, float64 ``(N_RESAMPLES,)``, say of it."""
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    tail = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    return Difference(
        value=value, low=float(low), high=float(high), p_value=min(1.0, 2 * (tail + 1) / (N_RESAMPLES + 1))
    )


def resample(values: Float64, rng: np.random.Generator) -> Float64:
    """Means over resampled rows of ``values``, ``(n, d)``: float64 ``(N_RESAMPLES, d)``.

    In blocks that bound the memory.
    """
    block = max(1, min(N_RESAMPLES, _CELLS // values.size))
    means = np.empty((N_RESAMPLES, values.shape[1]))
    for start in range(0, N_RESAMPLES, block):
        size = min(block, N_RESAMPLES - start)
        drawn = rng.integers(0, len(values), (size, len(values)))
        means[start : start + size] = values[drawn].mean(axis=1)
    return means
