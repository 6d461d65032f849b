"""What is judged from, and what is found."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from apps.algorithms.types import Float64, Int64

MIN_ESS = 200
"""Effective sample below which there is no verdict."""
MIN_UNITS = 30
"""Viewers below which there is no verdict: intervals come of how much viewers differ."""
_WEIGHT_LIMITS = ((0.0, 5.0), (0.05, 3.0), (0.25, 0.0))
"""Weights whose average is this far from 1, and this many standard errors, allow no verdict."""
_ROUNDING = 1e-6

Verdict = Literal["better", "worse", "unclear"]
"""Of the target beside what the log earned: by the 95 % interval of ``Estimate.lift``."""


@dataclass(frozen=True)
class Rows:
    """Where the films of a log were shown; films whose owner passed have no propensity and stay out.

    arms
        int64 ``(n,)``, who owned the slot: an index into ``names``.
    contexts, positions
        int64 ``(n,)``, at least 0: the context's index, and the slot in its slate.
    units
        int64 ``(n,)``, the viewer: films of one viewer tell about each other, those of two do not.
    names
        All arms that the log or the target know.
    """

    arms: Int64
    contexts: Int64
    positions: Int64
    units: Int64
    names: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """What is known of the target's mean reward a film shown.

    value, ci
        The estimate and its 95 % interval; None where there is none.
    ess
        Effective sample size, ``(sum w)^2 / sum w^2`` (Kish 1965): how many films drawn by the target itself
        would tell as much.
    mean_weight
        Near 1 where the propensities are right and the log holds all that the target shows; None in an empty
        log.
    lift, lift_ci
        ``value`` less the mean reward of the log, and its 95 % interval.
    n_units
        Viewers in the log.
    verdict, reason
        One of them is None: ``reason`` is the sentence why there is no verdict.
    """

    value: float | None
    ci: tuple[float, float] | None
    ess: float
    mean_weight: float | None
    lift: float | None
    lift_ci: tuple[float, float] | None
    n_units: int
    verdict: Verdict | None
    reason: str | None


@dataclass(frozen=True)
class Log:
    """A log beside a target, looked over: refuses with ``ValueError`` what can be none."""

    rewards: Float64
    logged: Float64
    target: Float64
    rows: Rows

    def __post_init__(self) -> None:
        rows, n = self.rows, len(self.rewards)
        columns = (self.rewards, self.logged, rows.arms, rows.contexts, rows.positions, rows.units)
        _require(all(column.shape == (n,) for column in columns), "a log needs one value of each for a film")
        _require(self.target.shape == (n, len(rows.names)), "the target needs a column for each arm")
        _require(bool(((self.rewards >= 0) & (self.rewards <= 1)).all()), "rewards lie between 0 and 1")
        _require(
            bool(((self.logged > 0) & (self.logged <= 1)).all()),
            "a logged propensity lies above 0 and up to 1: leave out films that have none",
        )
        _require(
            bool((self.target >= 0).all()) and np.allclose(self.target.sum(axis=1), 1),
            "the target's propensities are not negative and sum to 1 for each film",
        )
        _require(_lie_within(rows.arms, len(rows.names)), "arms are indices into the names")
        _require(
            bool((rows.contexts >= 0).all() and (rows.positions >= 0).all()),
            "contexts and positions are not negative",
        )

    @cached_property
    def weights(self) -> Float64:
        """``(n,)``: how much likelier the target is to show what was shown."""
        return self.of_shown(self.target) / self.logged

    @cached_property
    def units(self) -> Int64:
        """``(n,)``, viewers numbered from 0."""
        return _numbered(self.rows.units)

    @cached_property
    def contexts(self) -> Int64:
        """``(n,)``, those that occur numbered from 0."""
        return _numbered(self.rows.contexts)

    @cached_property
    def slots(self) -> Int64:
        """``(n,)``, those that occur numbered from 0."""
        return _numbered(self.rows.positions)

    @property
    def n_contexts(self) -> int:
        return _n_numbered(self.contexts)

    @property
    def n_slots(self) -> int:
        return _n_numbered(self.slots)

    @property
    def n_units(self) -> int:
        return _n_numbered(self.units)

    @cached_property
    def ess(self) -> float:
        squares = float((self.weights**2).sum())
        return float(self.weights.sum()) ** 2 / squares if squares > 0 else 0.0

    def of_shown(self, values: Float64) -> Float64:
        """From ``(n, n_arms)`` the column of the arm that was shown, ``(n,)``."""
        return np.asarray(values[np.arange(len(values)), self.rows.arms], dtype=np.float64)

    def by_unit(self, values: Float64) -> Float64:
        """Sums over each viewer's films, ``(n_units,)``."""
        sums = np.bincount(self.units, weights=values, minlength=self.n_units)
        return np.asarray(sums, dtype=np.float64)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Arms that the target shows and the log never did."""
        seen = np.bincount(self.rows.arms, minlength=len(self.rows.names)) > 0
        wanted = (self.target > 0).any(axis=0)
        return tuple(name for name, lacks in zip(self.rows.names, wanted & ~seen, strict=True) if lacks)

    def why_no_value(self) -> str | None:
        if len(self.rewards) == 0:
            return "the log is empty"
        if self.missing:
            return f"not in the log: {', '.join(self.missing)}"
        return None

    def why_no_verdict(self) -> str | None:
        if self.ess < MIN_ESS:
            return f"effective sample {int(self.ess)} < {MIN_ESS}"
        if self.n_units < MIN_UNITS:
            return f"viewers {self.n_units} < {MIN_UNITS}"
        if self._is_mean_weight_off():
            return (
                f"weights average {self.weights.mean():.2f}, not 1: the log lacks part of what the policy "
                "shows, or its propensities are wrong"
            )
        return None

    def _is_mean_weight_off(self) -> bool:
        """By one of ``_WEIGHT_LIMITS``.

        A small fault of the propensities is what chance does not explain in a long log. Where one would tip a
        verdict, from 5 % on, less proof is asked for, but some: at the least effective sample the average of
        right weights is off by 7 %, and more, by chance alone. From 25 % on the log stands for something else
        than the target would have met, be it by chance.
        """
        excess = self.weights - 1
        mean = float(excess.mean())
        deviation = float(np.sqrt((self.by_unit(excess - mean) ** 2).sum())) / len(excess)
        # Rounding must not count against a log whose weights are all 1.
        return any(
            abs(mean) > max(off, deviations * deviation) + _ROUNDING for off, deviations in _WEIGHT_LIMITS
        )


def _numbered(values: Int64) -> Int64:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _n_numbered(numbers: Int64) -> int:
    return int(numbers.max()) + 1 if len(numbers) else 0


def _lie_within(indices: Int64, n: int) -> bool:
    return bool(((indices >= 0) & (indices < n)).all())


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)
