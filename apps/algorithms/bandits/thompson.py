"""Contextual Thompson sampling over arms, with the probability of each draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betaincinv

from apps.algorithms.bandits.pooling import pool
from apps.algorithms.bandits.propensity import rank_probabilities, second_probabilities
from apps.algorithms.bandits.state import BanditState
from apps.algorithms.context import CONTEXT_SIZES
from apps.algorithms.types import Float64, Int64

INTERVAL = 0.95
SURE = 0.95
"""P(best) above which an arm is not held to its highest share."""
MIN_DRAWS = 50
"""First draws before which a share says nothing."""


@dataclass(frozen=True)
class Selection:
    """The arms of one slate.

    arms
        int64 ``(k,)``, indices in drawn order.
    rank_propensities
        float64 ``(n_arms, k)``: the probability with which each arm is drawn at each rank under exactly
        the policy that drew, exploration and cap included. Columns sum to 1.
    explored
        Whether the arms were drawn evenly.
    draws
        float64 ``(n_arms,)``: what was drawn of each arm's belief; the order of the ranks unless
        ``explored`` or ``capped``.
    capped
        Whether the arm that came first was put second because of its share.
    """

    arms: Int64
    rank_propensities: Float64
    explored: bool
    draws: Float64
    capped: bool


@dataclass(frozen=True)
class Posterior:
    """What is believed of each context and arm, float64 ``(n_contexts, n_arms)``.

    ``low`` and ``high`` bound 95 %; ``p_best`` is the probability that the arm's rate is the highest in the
    context.
    """

    alpha: Float64
    beta: Float64
    mean: Float64
    low: Float64
    high: Float64
    p_best: Float64


class ThompsonSampler:
    """Beta Thompson sampling with a pooled prior (Thompson 1933; Chapelle and Li, NIPS 2011).

    The belief of an arm's rate in a context is a Beta distribution, whose parameters are those of the pooled
    model's normal posterior on the logit scale by the Laplace bridge, ``alpha = (1 + e^m) / v`` and ``beta =
    (1 + e^-m) / v`` (MacKay 1998; Hobbhahn, Kristiadi and Hennig, UAI 2022). A draw is made from
    ``Beta(alpha / sharpness, beta / sharpness)`` (posterior reshaping, Chapelle and Li, section 3), none
    counts for less than its mean (optimistic Bayesian sampling, May, Korda, Lee and Leslie, JMLR 2012: an arm
    is never passed over because it drew low), and the ``k`` highest are taken.

    Parameters
    ----------
    arms
        Names, or anything that stands for them; at least one.
    context_sizes
        How many values each part of a context has; a context is a row-major index over them.
    alpha, beta
        Successes and failures that the rate of all arms together begins with, above 0.
    sharpness
        Share of its variance that a belief is drawn with, above 0 to 1.
    optimistic
        Whether a draw below the mean counts as the mean.
    half_life
        After how long a slate weighs half, in the caller's unit of time; None forgets nothing. Weights grow
        with the time of serving instead of shrinking with age (forward decay, Cormode et al., ICDE 2009), so
        that sums never have to be touched again.
    explore
        Share of slates drawn evenly, 0 to 1.
    max_share
        Of first draws, for an arm that is not ``SURE`` to be the best of the context; above 0 to 1.
    """

    def __init__(
        self,
        arms: Sequence[str],
        context_sizes: Sequence[int] = CONTEXT_SIZES,
        *,
        alpha: float = 1.0,
        beta: float = 1.0,
        sharpness: float = 0.3,
        optimistic: bool = True,
        half_life: float | None = None,
        explore: float = 0.03,
        max_share: float = 0.70,
    ) -> None:
        _require(len(arms) >= 1, "a bandit needs at least one arm")
        _require(all(size >= 1 for size in context_sizes), "every part of a context needs a value")
        _require(alpha > 0 and beta > 0, "alpha and beta must be above 0")
        _require(0 < sharpness <= 1, f"sharpness must lie above 0 and up to 1, not at {sharpness}")
        _require(half_life is None or half_life > 0, f"a half-life must be above 0, not {half_life}")
        _require(0 <= explore <= 1, f"explore must lie between 0 and 1, not at {explore}")
        _require(0 < max_share <= 1, f"max_share must lie above 0 and up to 1, not at {max_share}")
        self.arms = tuple(arms)
        self.context_sizes = tuple(context_sizes)
        self.alpha, self.beta, self.sharpness, self.optimistic = alpha, beta, sharpness, optimistic
        self.half_life, self.explore, self.max_share = half_life, explore, max_share
        self._held: tuple[BanditState, Beliefs] | None = None

    @property
    def n_arms(self) -> int:
        return len(self.arms)

    @property
    def n_contexts(self) -> int:
        return int(np.prod(self.context_sizes))

    def new_state(self) -> BanditState:
        return BanditState.empty(self.n_contexts, self.n_arms)

    def weight(self, elapsed: float) -> float:
        """What a slate weighs that is served ``elapsed`` after the policy began."""
        return 1.0 if self.half_life is None else float(2.0 ** (elapsed / self.half_life))

    def beliefs(self, state: BanditState) -> "Beliefs":
        """What is believed in this state. The last one asked for is kept."""
        held = self._held
        if held is None or held[0] is not state:
            held = self._held = (state, Beliefs(self, state))
        return held[1]

    def select(self, state: BanditState, context: int, k: int, rng: np.random.Generator) -> Selection:
        """Draws ``k`` arms, all of them where there are fewer, and changes nothing.

        Raises ``ValueError`` for a context that is none and ``k`` below 1.
        """
        return self.beliefs(state).select(context, k, rng)

    def shown(self, state: BanditState, context: int, arm: int, weight: float = 1.0) -> BanditState:
        """A film of ``arm`` was shown in ``context``, in a slate of that weight."""
        return state.with_shown(context, arm, weight)

    def drawn(self, state: BanditState, arm: int, weight: float = 1.0) -> BanditState:
        """``arm`` was drawn first."""
        return state.with_first_draw(arm, weight)

    def reward(
        self, state: BanditState, context: int, arm: int, delta: int, weight: float = 1.0
    ) -> BanditState:
        """The outcome of a film shown changed: ``delta`` is 1 for a success now, -1 for one no more."""
        return state.with_reward(context, arm, delta * weight)

    def posterior(self, state: BanditState) -> Posterior:
        return self.beliefs(state).posterior


class Beliefs:
    """A state as the sampler reads it: drawing needs no more than this. Safe to share among threads."""

    def __init__(self, sampler: ThompsonSampler, state: BanditState) -> None:
        self.sampler, self.state = sampler, state
        successes, trials = state.trials
        pooled = pool(successes, trials, sampler.context_sizes, alpha=sampler.alpha, beta=sampler.beta)
        self.alpha: Float64 = (1 + np.exp(pooled.logits)) / pooled.variances
        self.beta: Float64 = (1 + np.exp(-pooled.logits)) / pooled.variances
        self._plain: dict[int, Float64] = {}
        self._ranks: dict[int, Float64] = {}
        self._best: dict[int, Float64] = {}

    def select(self, context: int, k: int, rng: np.random.Generator) -> Selection:
        """See ``ThompsonSampler.select``."""
        sampler = self.sampler
        _require(0 <= context < sampler.n_contexts, f"there is no context {context}")
        _require(k >= 1, f"at least one arm must be drawn, not {k}")
        explored = bool(rng.random() < sampler.explore)
        draws = self.draws(context, rng)
        # Ties fall to the generator: an argsort alone would favour the first arms.
        shuffled = rng.permutation(sampler.n_arms)
        order = shuffled if explored else shuffled[np.argsort(-draws[shuffled], kind="stable")]
        is_capped = not explored and self._is_capped(context, int(order[0]), rng)
        if is_capped:
            order[[0, 1]] = order[[1, 0]]
        k = min(k, sampler.n_arms)
        return Selection(order[:k], self.rank_propensities(context)[:, :k], explored, draws, is_capped)

    def rank_propensities(self, context: int) -> Float64:
        """P(arm drawn r-th), exploration and cap included: float64 ``(n_arms, n_arms)``."""
        if context not in self._ranks:
            sampler = self.sampler
            ranks = self._thompson(context).copy()
            for arm in self.over_share.tolist():
                ranks += self._moved_by_cap(context, arm)
            self._ranks[context] = (1 - sampler.explore) * ranks + sampler.explore / sampler.n_arms
        return self._ranks[context]

    def p_best(self, context: int) -> Float64:
        """The probability that each arm's rate is the highest in the context, float64 ``(n_arms,)``."""
        if context not in self._best:
            self._best[context] = rank_probabilities(self.alpha[context], self.beta[context])[:, 0]
        return self._best[context]

    @cached_property
    def mean(self) -> Float64:
        """Of each rate, float64 ``(n_contexts, n_arms)``."""
        return self.alpha / (self.alpha + self.beta)

    @cached_property
    def interval(self) -> tuple[Float64, Float64]:
        """The ends of ``INTERVAL`` of each belief, float64 ``(n_contexts, n_arms)``."""
        ends = ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
        low, high = (np.asarray(betaincinv(self.alpha, self.beta, end), dtype=np.float64) for end in ends)
        return low, high

    @cached_property
    def posterior(self) -> Posterior:
        low, high = self.interval
        return Posterior(
            alpha=self.alpha,
            beta=self.beta,
            mean=self.mean,
            low=low,
            high=high,
            p_best=np.stack([self.p_best(context) for context in range(self.sampler.n_contexts)]),
        )

    @cached_property
    def over_share(self) -> Int64:
        """Arms whose share of first draws is above the highest, int64: at most these are capped."""
        if self.state.n_draws < MIN_DRAWS or self.sampler.n_arms < 2:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self.state.shares > self.sampler.max_share)

    def draws(self, contexts: int | Int64, rng: np.random.Generator) -> Float64:
        """A rate of success for each arm as it is drawn in each of ``contexts``: float64 ``(…, n_arms)``."""
        draws = rng.beta(*self._drawn_from(contexts))
        return np.maximum(draws, self.mean[contexts]) if self.sampler.optimistic else draws

    def _drawn_from(self, contexts: int | Int64) -> tuple[Float64, Float64]:
        alpha, beta = self._sharpened
        return alpha[contexts], beta[contexts]

    @cached_property
    def _sharpened(self) -> tuple[Float64, Float64]:
        sharpness = self.sampler.sharpness
        return self.alpha / sharpness, self.beta / sharpness

    def _thompson(self, context: int) -> Float64:
        """P(arm drawn r-th) without exploration and cap."""
        if context not in self._plain:
            drawn_from, optimistic = self._drawn_from(context), self.sampler.optimistic
            self._plain[context] = rank_probabilities(*drawn_from, optimistic=optimistic)
        return self._plain[context]

    def _excess(self, context: int, arm: int) -> float:
        """What the cap takes from ``arm``'s probability to come first where nothing is explored."""
        sampler = self.sampler
        if self.p_best(context)[arm] > SURE or sampler.explore == 1:
            return 0.0
        allowed = (sampler.max_share - sampler.explore / sampler.n_arms) / (1 - sampler.explore)
        return max(0.0, float(self._thompson(context)[arm, 0]) - max(allowed, 0.0))

    def _moved_by_cap(self, context: int, arm: int) -> Float64:
        """By how much the cap changes the probabilities: first and second change places."""
        moved = np.zeros((self.sampler.n_arms, self.sampler.n_arms))
        excess = self._excess(context, arm)
        if excess > 0:
            drawn_from, optimistic = self._drawn_from(context), self.sampler.optimistic
            second = second_probabilities(*drawn_from, arm, optimistic=optimistic) * excess
            # Exactly it is no more than this; the error of the grid must not make a probability negative.
            second = np.minimum(second, self._thompson(context)[:, 1])
            moved[:, 0], moved[:, 1] = second, -second
            moved[arm, :2] = -second.sum(), second.sum()
        return moved

    def _is_capped(self, context: int, arm: int, rng: np.random.Generator) -> bool:
        if arm not in self.over_share:
            return False
        return bool(rng.random() * self._thompson(context)[arm, 0] < self._excess(context, arm))


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)
