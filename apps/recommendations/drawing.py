"""Who owns the slots of a slate, drawn without a look at films: by weights, or by what a bandit believes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from apps.algorithms.bandits.thompson import Selection
from apps.algorithms.context import Context
from apps.algorithms.drafting import (
    draw_owners,
    draw_weighted_owners,
    equal_slot_probabilities,
    slot_propensities,
)
from apps.algorithms.strategy import (
    DEFAULT_BANDIT_ARMS,
    DEFAULT_BANDIT_SLOTS,
    Policy,
    Strategy,
)
from apps.algorithms.types import Int64
from apps.bandits.beliefs import Bandit
from apps.bandits.services import current_bandit

DEFAULTS: Mapping[Policy, Strategy] = {
    "fixed": Strategy(),
    "bandit": Strategy("bandit", DEFAULT_BANDIT_ARMS, weights=None, slots=DEFAULT_BANDIT_SLOTS),
}


@dataclass(frozen=True)
class Occasion:
    """When a slate is made and in what situation; ``suspended`` keeps bandits from drawing by belief."""

    context: Context
    at: datetime
    suspended: bool = False


@dataclass(frozen=True)
class BanditDraw:
    """How a bandit's arms came by their slots, for the log.

    ``means`` is the rate of success believed of each arm in the context. ``posterior`` is JSON: all that the
    arms were drawn by, or the ``weights`` that served in its place.
    """

    version: int
    context: int
    weight: float
    explored: bool
    means: Mapping[str, float]
    posterior: Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """``owners``, int64 ``(n_slots,)``, are indices into ``arms``, the arms that take part.

    ``propensities`` is the probability with which a slot, each the same, belongs to each of ``arms``.
    """

    arms: tuple[str, ...]
    owners: Int64
    propensities: tuple[float, ...]
    bandit: BanditDraw | None = None


def strategy_of(policy: Policy, assigned: Strategy) -> Strategy:
    """The assigned strategy where it is of that policy, else the policy's default."""
    return assigned if assigned.policy == policy else DEFAULTS[policy]


def draw(strategy: Strategy, occasion: Occasion, *, n: int, seed: int) -> Drawn:
    """The owners of ``n`` slots. The same seed gives the same ones, of a bandit in the same state."""
    rng = np.random.default_rng(seed)
    if strategy.weights is not None:
        owners = draw_weighted_owners(strategy.weights, n, rng)
        return Drawn(strategy.arms, owners, strategy.weights)
    bandit = current_bandit(strategy.arms)
    if occasion.suspended or bandit.policy.frozen:
        return _by_weights(bandit, occasion, n, rng)
    return _by_belief(bandit, strategy.slots or 1, occasion, n, rng)


def _by_weights(bandit: Bandit, occasion: Occasion, n: int, rng: np.random.Generator) -> Drawn:
    weights = bandit.fixed_weights()
    parts = tuple(weights[arm] for arm in bandit.arms)
    told = _told(bandit, occasion, explored=False, posterior={"weights": weights})
    return Drawn(bandit.arms, draw_weighted_owners(parts, n, rng), parts, told)


def _by_belief(bandit: Bandit, n_drawn: int, occasion: Occasion, n: int, rng: np.random.Generator) -> Drawn:
    selection = bandit.beliefs.select(occasion.context.index, n_drawn, rng)
    k = len(selection.arms)
    # Each slot is any rank's with the same probability, so one stands for all.
    (parts,) = slot_propensities(selection.rank_propensities, equal_slot_probabilities(1, k)).tolist()
    arms = selection.arms.tolist()
    told = _told(
        bandit,
        occasion,
        explored=selection.explored,
        posterior=_posterior(bandit, selection, occasion),
    )
    return Drawn(
        tuple(bandit.arms[arm] for arm in arms),
        draw_owners(k, n, rng),
        tuple(parts[arm] for arm in arms),
        told,
    )


def _told(bandit: Bandit, occasion: Occasion, *, explored: bool, posterior: Mapping[str, Any]) -> BanditDraw:
    context = occasion.context.index
    return BanditDraw(
        version=bandit.version,
        context=context,
        weight=bandit.policy.weight_at(occasion.at),
        explored=explored,
        means=bandit.means(context),
        posterior=posterior,
    )


def _posterior(bandit: Bandit, selection: Selection, occasion: Occasion) -> Mapping[str, Any]:
    """``arms`` in drawn order; ``propensities`` of each arm by rank; the rest by arm."""
    beliefs, context = bandit.beliefs, occasion.context.index

    def by_arm(values: Any) -> dict[str, Any]:
        return dict(zip(bandit.arms, values.tolist(), strict=True))

    return {
        "arms": [bandit.arms[arm] for arm in selection.arms.tolist()],
        "alpha": by_arm(beliefs.alpha[context]),
        "beta": by_arm(beliefs.beta[context]),
        "draws": by_arm(selection.draws),
        "propensities": by_arm(selection.rank_propensities),
        "sharpness": beliefs.sampler.sharpness,
        "optimistic": beliefs.sampler.optimistic,
        "explored": selection.explored,
        "capped": selection.capped,
        "draw_weight": bandit.policy.draw_weight_at(occasion.at),
    }
