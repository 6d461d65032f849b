"""How a logged list came to its arms: what a bandit drew by, or which weights served."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from apps.events.models import Slate

_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class ArmDrawn:
    """One arm as the bandit saw it when the list was made, and what it got.

    ``mean`` of its rate of success, ``low`` and ``high`` bound 95 % of the belief; ``draw`` is what was drawn
    of it; ``p_first`` and ``p_any`` the probabilities to be drawn first, and among those that took part.
    ``rank`` counts from 1, None where it took no part; ``n_slots`` are those drawn for it.
    """

    name: str
    mean: float
    low: float
    high: float
    draw: float
    p_first: float
    p_any: float
    rank: int | None
    n_slots: int


@dataclass(frozen=True)
class BanditDecision:
    """``arms`` are those of the bandit in drawn order, those that took no part last by name; none where
    ``weights`` served in its place, by arm.
    """

    version: int
    explored: bool
    capped: bool
    sharpness: float
    optimistic: bool
    arms: Sequence[ArmDrawn]
    weights: Sequence[tuple[str, float]]


def decision_of(slate: Slate) -> BanditDecision | None:
    """None for a list that no bandit drew."""
    if slate.bandit_version is None:
        return None
    told = slate.posterior
    arms = [_arm(slate, name) for name in sorted(told.get("alpha", ()))]
    return BanditDecision(
        version=slate.bandit_version,
        explored=told.get("explored", False),
        capped=told.get("capped", False),
        sharpness=told.get("sharpness", 1.0),
        optimistic=told.get("optimistic", False),
        arms=sorted(arms, key=lambda arm: (arm.rank is None, arm.rank or 0, arm.name)),
        weights=sorted(told.get("weights", {}).items()),
    )


def _arm(slate: Slate, name: str) -> ArmDrawn:
    told = slate.posterior
    alpha, beta, ranks = told["alpha"][name], told["beta"][name], told["propensities"][name]
    low, high = (float(betaincinv(alpha, beta, end)) for end in _INTERVAL)
    return ArmDrawn(
        name=name,
        mean=alpha / (alpha + beta),
        low=low,
        high=high,
        draw=told["draws"][name],
        p_first=ranks[0],
        p_any=sum(ranks),
        rank=told["arms"].index(name) + 1 if name in told["arms"] else None,
        n_slots=Counter(slate.owners)[name],
    )
