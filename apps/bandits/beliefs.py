"""What the bandit believes, in this process: read at most two seconds ago."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np

from apps.algorithms.bandits.state import BanditState as Sums
from apps.algorithms.bandits.thompson import Beliefs
from apps.bandits.models import BanditPolicy
from apps.core import clock
from apps.core.cached import Brief

Row = Mapping[str, Any]
_TERMS = [field.attname for field in BanditPolicy._meta.concrete_fields]
_CELL = ("context", "arm", "shown_weighted", "successes_weighted", "first_draws")
_COLUMNS = [*_TERMS, *(f"states__{name}" for name in _CELL)]


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
        alpha, beta = self.beliefs.alpha[context], self.beliefs.beta[context]
        return dict(zip(self.arms, (alpha / (alpha + beta)).tolist(), strict=True))


def held_bandit(arms: Iterable[str]) -> Bandit | None:
    """What serves these arms, in whatever order; None when no version of theirs was ever begun."""
    return _brief(tuple(sorted(arms))).get()


def believed(version: int) -> Bandit:
    """What is believed on the terms of ``version`` as of now, whether or not it serves. One query.

    Raises ``KeyError`` for a version that is none.
    """
    bandit = _bandit_of(list(BanditPolicy.objects.filter(version=version).order_by().values(*_COLUMNS)))
    if bandit is None:
        raise KeyError(version)
    return bandit


def forget_bandits() -> None:
    """Makes this process read anew; others see a change within the two seconds."""
    _brief.cache_clear()


@cache
def _brief(arms: tuple[str, ...]) -> Brief[Bandit | None]:
    return Brief(lambda: _load(arms))


def _load(arms: tuple[str, ...]) -> Bandit | None:
    return _bandit_of(_read(arms))


def _bandit_of(rows: Sequence[Row]) -> Bandit | None:
    if not rows:
        return None
    policy = BanditPolicy(**{name: rows[0][name] for name in _TERMS})
    return Bandit(policy, policy.sampler().beliefs(_sums(policy, rows, clock.now())))


def _read(arms: tuple[str, ...]) -> Sequence[Row]:
    """One query: the newest version of the arms beside each of its cells; one row when it has none."""
    return list(BanditPolicy.objects.newest_of(arms).order_by().values(*_COLUMNS))


def _sums(policy: BanditPolicy, rows: Sequence[Row], now: datetime) -> Sums:
    sampler = policy.sampler()
    spots = {arm: spot for spot, arm in enumerate(sampler.arms)}
    shown = np.zeros((sampler.n_contexts, sampler.n_arms))
    successes, first_draws = np.zeros_like(shown), np.zeros(sampler.n_arms)
    for row in rows:
        if row["states__arm"] is None:
            continue
        spot = spots[row["states__arm"]]
        shown[row["states__context"], spot] = row["states__shown_weighted"]
        successes[row["states__context"], spot] = row["states__successes_weighted"]
        first_draws[spot] += row["states__first_draws"]
    return Sums(shown, successes, first_draws, policy.weight_at(now), policy.draw_weight_at(now))
