"""Rank propensities beside drawing a million times."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial

import numpy as np

from apps.algorithms.bandits.propensity import rank_probabilities
from apps.algorithms.bandits.thompson import SURE, Beliefs
from apps.algorithms.context import N_CONTEXTS
from apps.algorithms.strategy import DEFAULT_BANDIT_ARMS
from apps.algorithms.types import Bool, Float64, Int64
from benchmarks.bandit_site.sums import made_up_beliefs

MOST_OFF = 0.005
BLOCK = 250_000
_beliefs = cache(made_up_beliefs)


def report(n_draws: int) -> Iterator[str]:
    yield f"{n_draws:,} draws in each of {N_CONTEXTS} contexts."
    yield ""
    yield f"| state | contexts capped | largest difference | ≤ {MOST_OFF} |"
    yield "|---|---|---|---|"
    # Threads of the numeric library would take the processors from each other.
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, is_capped in (("no arm above its share", False), ("one arm above its share", True)):
            found = list(
                pool.map(partial(_largest_difference, n_draws, is_capped), range(N_CONTEXTS), chunksize=8)
            )
            off, n_capped = max(one for one, _ in found), sum(one for _, one in found)
            yield f"| {name} | {n_capped} | {off:.4f} | {'met' if off <= MOST_OFF else 'missed'} |"


def _largest_difference(n_draws: int, is_capped: bool, context: int) -> tuple[float, bool]:
    """Of all arms and ranks in the context, and whether an arm was capped there."""
    beliefs, rng = _beliefs(DEFAULT_BANDIT_ARMS, is_capped=is_capped), np.random.default_rng(context)
    n_arms = beliefs.sampler.n_arms
    seen, was_capped = np.zeros((n_arms, n_arms)), False
    for start in range(0, n_draws, BLOCK):
        orders, capped = draw_orders(beliefs, context, min(BLOCK, n_draws - start), rng)
        was_capped |= bool(capped.any())
        seen += np.stack([np.bincount(rank, minlength=n_arms) for rank in orders.T], axis=1)
    return float(np.abs(seen / n_draws - beliefs.rank_propensities(context)).max()), was_capped


def draw_orders(beliefs: Beliefs, context: int, n: int, rng: np.random.Generator) -> tuple[Int64, Bool]:
    """``Beliefs.select`` of all arms, ``n`` times at once: orders ``(n, n_arms)`` and which were capped."""
    sampler = beliefs.sampler
    draws = beliefs.draws(np.full(n, context), rng)
    explored = rng.random(n) < sampler.explore
    draws[explored] = rng.random((int(explored.sum()), sampler.n_arms))
    orders = np.argsort(-draws, axis=1)
    is_capped = ~explored & (rng.random(n) < _put_second(beliefs, context)[orders[:, 0]])
    orders[is_capped, :2] = orders[is_capped, 1::-1]
    return orders, is_capped


def _put_second(beliefs: Beliefs, context: int) -> Float64:
    """With which chance an arm that comes first changes places with the second, ``(n_arms,)``.

    As docs/BANDIT_SELECTOR.md works it out: so that an arm above its share, and not surely the best, comes
    first in ``max_share`` of all slates.
    """
    sampler = beliefs.sampler
    first = rank_probabilities(
        beliefs.alpha[context] / sampler.sharpness,
        beliefs.beta[context] / sampler.sharpness,
        optimistic=sampler.optimistic,
    )
    chances = np.zeros(sampler.n_arms)
    allowed = (sampler.max_share - sampler.explore / sampler.n_arms) / (1 - sampler.explore)
    for arm in beliefs.over_share.tolist():
        if beliefs.p_best(context)[arm] <= SURE:
            chances[arm] = max(0.0, (first[arm, 0] - allowed) / first[arm, 0])
    return chances
