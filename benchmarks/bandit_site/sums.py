"""Sums that a bandit is told to have counted, made up from a seed, and what it must believe by them."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from apps.algorithms.bandits.pooling import design
from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import Beliefs, ThompsonSampler
from apps.algorithms.context import CONTEXT_SIZES, N_CONTEXTS
from apps.algorithms.drafting import equal_slot_probabilities, slot_propensities
from apps.algorithms.types import Float64

SEED = 11
LEADS = 0.75
"""Share of first draws of the arm that the cap holds back, above the highest that a policy allows."""
N_FIRST_DRAWS = 20_000


def made_up_sums(n_arms: int, *, is_capped: bool) -> BanditState:
    """Films shown and liked in every cell, the effects those of ``apps.algorithms.simulation``.

    The arm that is best over all has three quarters of the first draws where the state ``is_capped``, else
    all arms have as many.
    """
    rng = np.random.default_rng(SEED)
    rows = design(CONTEXT_SIZES)
    arms = rng.normal(0, 0.30, n_arms)
    parts = rng.normal(0, 0.28, (rows.shape[1], n_arms))
    parts[0] = arms - 1.75
    rates = expit(rows @ parts + rng.normal(0, 0.20, (N_CONTEXTS, n_arms)))
    shown = rng.integers(1, 30, rates.shape)
    successes = rng.binomial(shown, rates)
    shares = np.full(n_arms, 1 / n_arms)
    if is_capped:
        best = int((successes.sum(axis=0) / shown.sum(axis=0)).argmax())
        shares[:] = (1 - LEADS) / (n_arms - 1)
        shares[best] = LEADS
    return BanditState(shown.astype(np.float64), successes.astype(np.float64), N_FIRST_DRAWS * shares)


def made_up_beliefs(arms: Sequence[str], *, is_capped: bool) -> Beliefs:
    return ThompsonSampler(arms).beliefs(made_up_sums(len(arms), is_capped=is_capped))


def slot_chances(beliefs: Beliefs, n_drawn: int) -> Float64:
    """The probability that a slot of each context belongs to each arm, ``(N_CONTEXTS, n_arms)``."""
    equal = equal_slot_probabilities(1, n_drawn)
    ranks = [beliefs.rank_propensities(context)[:, :n_drawn] for context in range(N_CONTEXTS)]
    return np.stack([slot_propensities(one, equal)[0] for one in ranks])
