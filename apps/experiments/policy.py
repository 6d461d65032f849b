"""What serves outside of experiments: the one ``ServingPolicy``, as a value."""

from dataclasses import dataclass

from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import Strategy, parse_strategy
from apps.core.cached import Brief
from apps.experiments.models import Phase, ServingPolicy

DEFAULT_STRATEGY = {"policy": "fixed", "arms": {"hybrid": 1.0}}
DEFAULT_RECIPE = "standard"


@dataclass(frozen=True)
class Policy:
    """``version`` is 1 for the policy that a site starts with."""

    version: int
    strategy: Strategy
    recipe: str
    bandit_suspended: bool


def _load() -> Policy:
    row = ServingPolicy.objects.filter(pk=ServingPolicy.SINGLETON).first()
    if row is None:
        return Policy(1, parse_strategy(DEFAULT_STRATEGY, ARMS), DEFAULT_RECIPE, bandit_suspended=False)
    return Policy(row.version, parse_strategy(row.strategy, ARMS), row.recipe, row.bandit_suspended)


_current = Brief(_load)


def read_policy() -> Policy:
    """The policy as of now. One query."""
    return _load()


def current_policy() -> Policy:
    """The policy, at most ``VERSION_TTL_SECONDS`` old."""
    return _current.get()


def recipes_in_use() -> frozenset[str]:
    """Names of the recipes that serve anybody, as of now and not as of two seconds ago.

    Those of experiments that are paused too: they may serve again at once.
    """
    plans = Phase.objects.filter(ended_at=None).values_list("plan", flat=True)
    tried = {one["recipe"] for plan in plans for one in plan["variants"]}
    pinned = {plan.get("pinned_recipe") for plan in plans}
    return frozenset({_load().recipe, *(tried | pinned) - {None, ""}})


def forget_policy() -> None:
    """Makes this process read the policy anew; others see a change within the two seconds."""
    _current.forget()
