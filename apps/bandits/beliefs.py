"""What the bandit believes, in this process: read at most two seconds ago."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np

from apps.algorithms.bandits.state import BanditState as Sums
from apps.algorithms.bandits.thompson import Beliefs
from apps.bandits.models import BanditPolicy, BanditState
from apps.core import clock
from apps.core.cached import Brief

_CELL = ("context", "arm", "shown_weighted", "successes_weighted", "first_draws")
_BASE = ("context", "arm", "base_shown_weighted", "base_successes_weighted", "base_first_draws")
Cell = tuple[int, str, float, float, float]
"""The values of ``_CELL``."""


@dataclass(frozen=True)
class Bandit:
    """The policy that serves its arms, and what is believed of them on its terms. Safe to share."""

    policy: BanditPolicy
    beliefs: Beliefs

    @property
    def version(self) -> int:
        return self.policy.version

    @property
    def arms(self) -> tuple[str, ...]:
        """In the order of their indices."""
        return self.beliefs.sampler.arms

    def fixed_weights(self) -> dict[str, float]:
        """What each arm's part of a slate is while nothing is drawn by belief; 1 in sum."""
        return dict(self.policy.frozen_weights) or dict.fromkeys(self.arms, 1 / len(self.arms))

    def means(self, context: int) -> dict[str, float]:
        """The rate of success that each arm is believed to have in the context."""
        return dict(zip(self.arms, self.beliefs.mean[context].tolist(), strict=True))


def held_bandit(arms: Iterable[str]) -> Bandit | None:
    """What serves these arms, in whatever order; None when no version of theirs was ever begun."""
    return _brief(tuple(sorted(arms))).get()


def believed(version: int) -> Bandit:
    """What is believed on the terms of ``version`` as of now, whether or not it serves. Two queries.

    Raises ``KeyError`` for a version that is none.
    """
    return _bandit_of(_policy(version))


def believed_at_start(version: int, *, on: BanditPolicy | None = None, keep: float = 1.0) -> Bandit:
    """What the version began with: of what it learned itself nothing. Two queries. Raises as ``believed``.

    ``on`` is the version on other terms, and ``keep`` the part of the counts that is looked at, 0 to 1.
    """
    policy = on or _policy(version)
    cells = BanditState.objects.filter(policy_id=version).order_by().values_list(*_BASE)
    sums = _sums(policy, list(cells), policy.started_at)
    return Bandit(policy, policy.sampler().beliefs(sums.scaled(keep)))


def forget_bandits() -> None:
    """Makes this process read anew; others see a change within the two seconds."""
    _brief.cache_clear()


@cache
def _brief(arms: tuple[str, ...]) -> Brief[Bandit | None]:
    return Brief(lambda: _load(arms))


def _policy(version: int) -> BanditPolicy:
    policy = BanditPolicy.objects.filter(version=version).first()
    if policy is None:
        raise KeyError(version)
    return policy


def _load(arms: tuple[str, ...]) -> Bandit | None:
    policy = BanditPolicy.objects.newest_of(arms).first()
    return None if policy is None else _bandit_of(policy)


def _bandit_of(policy: BanditPolicy) -> Bandit:
    return Bandit(policy, policy.sampler().beliefs(_sums(policy, _read(policy), clock.now())))


def _read(policy: BanditPolicy) -> Sequence[Cell]:
    """The cells of the version, apart from its terms: beside each cell these would be parsed anew."""
    return list(BanditState.objects.filter(policy=policy).order_by().values_list(*_CELL))


def _sums(policy: BanditPolicy, cells: Sequence[Cell], now: datetime) -> Sums:
    sampler = policy.sampler()
    spots = {arm: spot for spot, arm in enumerate(sampler.arms)}
    shown = np.zeros((sampler.n_contexts, sampler.n_arms))
    successes, first_draws = np.zeros_like(shown), np.zeros(sampler.n_arms)
    if cells:
        contexts, arms, *sums = zip(*cells, strict=True)
        columns = [spots[arm] for arm in arms]
        shown[contexts, columns], successes[contexts, columns] = sums[:2]
        np.add.at(first_draws, columns, sums[2])
    return Sums(shown, successes, first_draws, policy.weight_at(now), policy.draw_weight_at(now))
