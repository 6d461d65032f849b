"""How sure an estimate is, by how much viewers differ."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtri, stdtrit

from apps.algorithms.ope.rewards import Cells, fit
from apps.algorithms.ope.rows import Log
from apps.algorithms.types import Float64, Int64

CONFIDENCE = 0.95
N_GROUPS = 50
_ENDS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
_LEAST_SPREAD = 1e-7

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Found:
    """A value, and how far it is above the log's mean reward, each with its interval."""

    value: float
    ci: Interval
    lift: float
    lift_ci: Interval


@dataclass(frozen=True)
class UnitSums:
    """Films shown and successes of each viewer, and their squares and product, added up over viewers."""

    n_units: int
    shown: int
    successes: int
    shown_squared: float
    successes_squared: float
    both: float

    @classmethod
    def of(cls, rewards: Float64, units: Int64) -> "UnitSums":
        """Of films with a reward of 0 or 1, ``(n,)``, and their viewers, numbered from 0."""
        shown, successes = np.bincount(units).astype(np.float64), np.bincount(units, weights=rewards)
        return cls(
            n_units=int((shown > 0).sum()),
            shown=len(rewards),
            successes=int(rewards.sum()),
            shown_squared=float(shown @ shown),
            successes_squared=float(successes @ successes),
            both=float(shown @ successes),
        )

    @property
    def rate(self) -> float | None:
        return self.successes / self.shown if self.shown else None


def weigh(log: Log, top: Float64, bottom: Float64) -> Found:
    """``sum(top) / sum(bottom)`` over the films, ``(n,)`` each, with a gamma interval.

    Variances are those of a ratio of sums over viewers (delta method), so a viewer's films may hang together.
    The interval has the skewness of few successes with large weights, and its upper end allows for half a
    success more of the weight that decides the variance, ``sum w^3 / sum w^2``: one that has not happened yet
    is in no variance (after Fay and Feuer, Statistics in Medicine 1997, who allow for a whole one of the
    largest weight).
    """
    value, mean = float(top.sum() / bottom.sum()), float(log.rewards.mean())
    own = log.by_unit(top - value * bottom) / bottom.sum()
    served = log.by_unit(log.rewards - mean) / len(log.rewards)
    weights = log.weights
    more = 0.5 * float((weights**3).sum() / (weights**2).sum() / bottom.sum())
    spread, lift_spread = _spread(own), _spread(own - served)
    ci = lift_ci = None
    if spread > _LEAST_SPREAD:
        below, above = _reach(value, spread, more)
        ci = _within(value - below), _within(value + above)
    if lift_spread > _LEAST_SPREAD:
        below, above = _reach(value, lift_spread, more)
        lift_ci = value - mean - below, value - mean + above
    return Found(value, ci, value - mean, lift_ci)


def rate_interval(sums: UnitSums) -> Interval:
    """The 95 % interval of ``sums.rate``, as ``weigh`` has it of a log whose weights are all 1.

    None where viewers do not differ, or there are not two.
    """
    if sums.rate is None or sums.n_units < 2:
        return None
    squares = sums.successes_squared - 2 * sums.rate * sums.both + sums.rate**2 * sums.shown_squared
    variance = max(squares, 0.0) / sums.shown**2 * sums.n_units / (sums.n_units - 1)
    spread = float(np.sqrt(variance))
    if spread <= _LEAST_SPREAD:
        return None
    below, above = _reach(sums.rate, spread, 0.5 / sums.shown)
    return _within(sums.rate - below), _within(sums.rate + above)


def leave_groups_out(log: Log) -> Found:
    """The model's own answer, by the delete-a-group jackknife over viewers (Kott, JOS 2001).

    The model is fitted again without each of ``N_GROUPS`` groups, so that its own uncertainty counts.
    """
    cells = Cells.of(log, groups_of_units(log, N_GROUPS))
    value, lift = (float(one[0]) for one in _model_value(cells.together()))
    if cells.n_groups < 2:
        return Found(value, None, lift, None)
    values, lifts = _model_value(cells.without_each())
    return Found(value, _jackknifed(value, values), lift, _jackknifed(lift, lifts))


def groups_of_units(log: Log, n_groups: int) -> Int64:
    """A group for each film, ``(n,)``: viewers shared out in turn, at most one group a viewer."""
    return np.asarray(log.units % min(n_groups, log.n_units), dtype=np.int64)


def _within(end: float) -> float:
    """A mean reward lies between 0 and 1, whatever an unlucky weight says."""
    return min(max(end, 0.0), 1.0)


def _spread(influences: Float64) -> float:
    """The standard error of the sum of what each viewer adds; 0 for a single one."""
    n = len(influences)
    return float(np.sqrt((influences**2).sum() * n / (n - 1))) if n > 1 else 0.0


def _reach(value: float, spread: float, more: float) -> tuple[float, float]:
    """How far the interval reaches below and above."""
    if value <= 0:
        # Only the model's part of a doubly robust value can be that; a gamma distribution cannot.
        reach = float(ndtri(_ENDS[1])) * spread
        return reach, reach + more
    below = value - _gamma_end(value, spread**2, _ENDS[0])
    above = _gamma_end(value + more, spread**2 + more**2, _ENDS[1]) - value
    return below, above


def _gamma_end(mean: float, variance: float, probability: float) -> float:
    return float(gammaincinv(mean**2 / variance, probability)) * variance / mean


def _model_value(cells: Cells) -> tuple[Float64, Float64]:
    axes = (1, 2, 3)
    value = (fit(cells) * cells.wanted).sum(axis=axes) / cells.wanted.sum(axis=axes)
    return value, value - cells.earned.sum(axis=axes) / cells.shown.sum(axis=axes)


def _jackknifed(value: float, parts: Float64) -> Interval:
    n = len(parts)
    spread = float(np.sqrt((n - 1) / n * ((parts - parts.mean()) ** 2).sum()))
    reach = float(stdtrit(n - 1, _ENDS[1])) * spread
    return (value - reach, value + reach) if spread > _LEAST_SPREAD else None
