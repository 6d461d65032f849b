"""With what probability each arm is drawn at each rank."""

import numpy as np
from scipy.special import betainc

from apps.algorithms.types import Float64

_NODES = np.linspace(-6.0, 6.0, 33)
"""Where each arm's distribution is looked at, in its own standard deviations on the logit scale."""
_UPPER_NODES = np.concatenate([np.linspace(0.0, 1.0, 6), _NODES[_NODES > 1]])
"""Of an optimistic draw, which is nowhere below its mean."""
_JUMP = 9
"""Points at which a draw's atom, the mean of an optimistic one, is spread out, so that atoms at one place tie
as often one way as another."""
_LEAST = 1e-12
_N_ROUNDS = 20


def rank_probabilities(alpha: Float64, beta: Float64, *, optimistic: bool = False) -> Float64:
    """P(arm drawn r-th) when the highest of independent ``Beta(alpha_a, beta_a)`` comes first.

    ``optimistic`` draws that lie below the mean of their distribution count as that mean; equal ones come in
    random order. ``alpha`` and ``beta`` are ``(n_arms,)``, above 0, at least one arm; float64 ``(n_arms,
    n_arms)``, rows and columns summing to 1. An arm is ranked by how many others are above it, whose number
    is Poisson-binomial given its own draw (dynamic programming over the other arms), and its own draw is
    integrated out on a grid that has points in the bulk of every arm.
    """
    below = _below(alpha, beta, optimistic=optimistic)
    ranks = np.einsum("arj,aj->ar", _midpoints(_n_above(below)), np.diff(below, axis=1))
    return _doubly_stochastic(ranks)


def second_probabilities(alpha: Float64, beta: Float64, first: int, *, optimistic: bool = False) -> Float64:
    """P(arm drawn second | ``first`` drawn first), float64 ``(n_arms,)``; of at least two arms."""
    below = _below(alpha, beta, optimistic=optimistic)
    mass = np.diff(below, axis=1)
    second = np.zeros(len(alpha))
    for arm in range(len(alpha)):
        if arm != first:
            others = np.delete(below, [first, arm], axis=0).prod(axis=0)
            second[arm] = _midpoints((1 - below[first]) * others) @ mass[arm]
    total = float(second.sum())
    if total < _LEAST:
        # It is never first, so nobody is ever second to it.
        second[:] = 1.0
        second[first] = 0.0
        total = float(second.sum())
    return second / total


def _below(alpha: Float64, beta: Float64, *, optimistic: bool) -> Float64:
    """P(draw of the arm <= x), ``(n_arms, n_points)``, at points from 0 to 1 that suit all arms.

    Where draws have an atom there are several points at one place, through which it rises.
    """
    logits = np.log(alpha / beta)
    # The Laplace bridge read backwards: the variance of the logit is near 1 / alpha + 1 / beta.
    deviations = np.sqrt(1 / alpha + 1 / beta)
    inner = logits[:, None] + deviations[:, None] * (_UPPER_NODES if optimistic else _NODES)
    means = alpha / (alpha + beta)
    atoms = np.repeat(means, _JUMP) if optimistic else means[:0]
    grid = np.concatenate([[0.0], (1 / (1 + np.exp(-inner))).ravel(), atoms, [1.0]])
    grid.sort()
    below = np.asarray(betainc(alpha[:, None], beta[:, None], grid), dtype=np.float64)
    if optimistic:
        first, after = np.searchsorted(grid, means, "left"), np.searchsorted(grid, means, "right")
        for arm in range(len(alpha)):
            rise = slice(first[arm], after[arm])
            below[arm, : first[arm]] = 0.0
            below[arm, rise] *= np.linspace(0.0, 1.0, after[arm] - first[arm])
    return below


def _n_above(below: Float64) -> Float64:
    """P(exactly r other arms draw more than the point), ``(n_arms, n_arms, n_points)``."""
    n_arms, n_points = below.shape
    counts = np.zeros((n_arms, n_arms, n_points))
    counts[:, 0] = 1.0
    for other in range(n_arms):
        above = np.tile(1 - below[other], (n_arms, 1))
        above[other] = 0.0
        moved = counts[:, :-1] * above[:, None]
        counts *= (1 - above)[:, None]
        counts[:, 1:] += moved
    return counts


def _midpoints(values: Float64) -> Float64:
    return np.asarray((values[..., 1:] + values[..., :-1]) / 2, dtype=np.float64)


def _doubly_stochastic(ranks: Float64) -> Float64:
    """Rows and columns summing to 1, as the exact ones do; what is mended is the error of the grid.

    Columns come last, and so are the exact ones: every rank needs one arm.
    """
    for _ in range(_N_ROUNDS):
        ranks = ranks / ranks.sum(axis=1, keepdims=True)
        ranks = ranks / ranks.sum(axis=0)
    return ranks
