"""What the cells of a bandit tell about each other.

For each arm a logistic model with random effects: in context ``c``

    logit p_c = m + x_c' b + u_c,   m ~ N(m0, a^2),   b ~ N(0, t^2 I),   u_c ~ N(0, s^2)

where ``x_c`` marks the value of each part of the context, so that a cell with few trials leans on the cells
that share its parts, and one with many goes by its own. ``m0`` is the rate of all trials together. The
posterior is a normal one at its mode (Laplace; the mode by penalised quasi-likelihood, Breslow and Clayton,
JASA 1993), and ``a``, ``t`` and ``s`` are learned beside it (the EM step of the same paper's variance
components), held near ``PRIOR_SPREAD`` by ``_PRIOR_EFFECTS`` effects of that size, so that little data cannot
make them 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit, logit

from apps.algorithms.types import Float64

PRIOR_SPREAD = {"arm": 0.30, "part": 0.28, "cell": 0.20}
_PRIOR_EFFECTS = 30.0
_STEPS = 12
_LEAST, _MOST = 1e-9, 9.0
"""Between these lies each variance between effects."""
_START_TRIALS = 10.0
_LONGEST_STEP = 2.0


@dataclass(frozen=True)
class Pooled:
    """``logits`` and their ``variances``, float64 ``(n_contexts, n_arms)``."""

    logits: Float64
    variances: Float64


@cache
def design(context_sizes: tuple[int, ...]) -> Float64:
    """A row for each context, row-major over its parts: 1, and 1 at the value of each part."""
    n_contexts = int(np.prod(context_sizes))
    spots = np.stack(np.unravel_index(np.arange(n_contexts), context_sizes), axis=1)
    parts = [spots[:, [part]] == np.arange(size) for part, size in enumerate(context_sizes)]
    return np.hstack([np.ones((n_contexts, 1)), *parts]).astype(np.float64)


def pool(
    successes: Float64, trials: Float64, context_sizes: Sequence[int], *, alpha: float, beta: float
) -> Pooled:
    """What is believed of every cell.

    Both ``(n_contexts, n_arms)``, weighted sums, ``0 <= successes <= trials``. ``alpha`` and ``beta``, above
    0, are successes and failures that the rate of all trials together begins with. A function of its
    arguments alone: the same sums give the same beliefs.
    """
    model = _Model(successes, trials, design(tuple(context_sizes)), alpha, beta)
    for _ in range(_STEPS):
        model.step()
    return Pooled(model.logits, model.variances)


class _Model:
    """The fit of all arms at once, arms along the last axis of ``(n_contexts, n_arms)``."""

    def __init__(self, successes: Float64, trials: Float64, rows: Float64, alpha: float, beta: float) -> None:
        self._successes, self._trials, self._rows = successes, trials, rows
        n_contexts, width = rows.shape
        # Sums over contexts of x x' are one product with these.
        self._squares = (rows[:, :, None] * rows[:, None, :]).reshape(n_contexts, width * width)
        failures = trials.sum() - successes.sum()
        self._rate = float(np.log((successes.sum() + alpha) / (failures + beta)))
        self._spread = dict(PRIOR_SPREAD)
        # Begun at the rate of all, a cell far from it would be thrown further off at each step.
        start = (successes + _START_TRIALS * expit(self._rate)) / (trials + _START_TRIALS)
        self.logits = np.asarray(logit(np.clip(start, _LEAST, 1 - _LEAST)), dtype=np.float64)
        self.variances = np.zeros_like(self.logits)

    def step(self) -> None:
        chances = expit(self.logits)
        weights = self._trials * chances * (1 - chances)
        # Working response times weight: finite where a cell has no trial at all.
        response = weights * self.logits + self._successes - self._trials * chances
        cell = self._spread["cell"] ** 2
        # Of a cell's own effect nothing is left in the sums of the parts.
        damped = 1 + weights * cell
        effects, covariances = self._effects(weights / damped, response / damped)
        shared = self._rows @ effects.T
        own = weights * cell / damped
        found = (1 - own) * shared + cell / damped * response
        self.logits += np.clip(found - self.logits, -_LONGEST_STEP, _LONGEST_STEP)
        # x' S x of every context and arm; as a sum over three factors it would cost half of the step.
        spread = self._squares @ covariances.reshape(len(covariances), -1).T
        self.variances = (1 - own) ** 2 * spread + cell * (1 - own)
        self._learn_spread(effects, covariances, self.logits - shared, own**2 * spread + cell * (1 - own))

    def _effects(self, weights: Float64, response: Float64) -> tuple[Float64, Float64]:
        """Mode ``(n_arms, width)`` and covariance ``(n_arms, width, width)`` of ``m`` and ``b``."""
        width = self._rows.shape[1]
        precision = np.full(width, self._spread["part"] ** -2)
        precision[0] = self._spread["arm"] ** -2
        system = (weights.T @ self._squares).reshape(-1, width, width) + np.diag(precision)
        told = response.T @ self._rows
        told[:, 0] += precision[0] * self._rate
        covariances = np.linalg.inv(system)
        effects = np.einsum("ade,ae->ad", covariances, told)
        return np.asarray(effects, dtype=np.float64), np.asarray(covariances, dtype=np.float64)

    def _learn_spread(
        self, effects: Float64, covariances: Float64, own: Float64, own_variances: Float64
    ) -> None:
        variances = np.einsum("add->ad", covariances)
        by_arm = effects[:, 0] - self._rate
        self._spread = {
            "arm": _spread_of(by_arm**2 + variances[:, 0], PRIOR_SPREAD["arm"]),
            "part": _spread_of(effects[:, 1:] ** 2 + variances[:, 1:], PRIOR_SPREAD["part"]),
            "cell": _spread_of(own**2 + own_variances, PRIOR_SPREAD["cell"]),
        }


def _spread_of(squares: Float64, prior: float) -> float:
    mean = (squares.sum() + _PRIOR_EFFECTS * prior**2) / (squares.size + _PRIOR_EFFECTS)
    return float(np.sqrt(np.clip(mean, _LEAST, _MOST)))
