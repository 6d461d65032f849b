"""What a bandit has counted, as a value."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from apps.algorithms.types import Float64


@dataclass(frozen=True)
class BanditState:
    """Sums by context and arm; nothing derived, so that sums can be added up in any order.

    shown, successes
        float64 ``(n_contexts, n_arms)``: films shown, and those of them that were a success, each times the
        weight of its slate. No film shown is left out, so silence counts as none.
    first_draws
        float64 ``(n_arms,)``: how often each arm was drawn first, each times ``draw_unit`` then.
    unit, draw_unit
        What a slate served now weighs in the sums and in ``first_draws``. 1 where nothing is forgotten.
    """

    shown: Float64
    successes: Float64
    first_draws: Float64
    unit: float = 1.0
    draw_unit: float = 1.0

    @classmethod
    def empty(cls, n_contexts: int, n_arms: int) -> Self:
        cells = np.zeros((n_contexts, n_arms))
        return cls(cells, cells.copy(), np.zeros(n_arms))

    @property
    def trials(self) -> tuple[Float64, Float64]:
        """Successes and films shown, in slates of now: each ``(n_contexts, n_arms)``, at least 0.

        A success is never counted without its film shown, but one that is told before the state is read
        again may look so for a moment.
        """
        successes = np.maximum(self.successes, 0.0) / self.unit
        return successes, np.maximum(self.shown / self.unit, successes)

    @property
    def n_draws(self) -> float:
        """First draws within the window, in draws of now."""
        return float(self.first_draws.sum()) / self.draw_unit

    @property
    def shares(self) -> Float64:
        """Each arm's share of the first draws, ``(n_arms,)``; zeros before the first."""
        total = self.first_draws.sum()
        return self.first_draws / total if total > 0 else np.zeros_like(self.first_draws)

    def scaled(self, part: float) -> Self:
        """``part``, 0 to 1, of all that was counted."""
        kept = {name: getattr(self, name) * part for name in ("shown", "successes", "first_draws")}
        return replace(self, **kept)

    def with_shown(self, context: int, arm: int, weight: float) -> Self:
        return replace(self, shown=_added(self.shown, (context, arm), weight))

    def with_reward(self, context: int, arm: int, amount: float) -> Self:
        return replace(self, successes=_added(self.successes, (context, arm), amount))

    def with_first_draw(self, arm: int, weight: float) -> Self:
        return replace(self, first_draws=_added(self.first_draws, (arm,), weight))


def _added(sums: Float64, spot: tuple[int, ...], amount: float) -> Float64:
    changed = sums.copy()
    changed[spot] += amount
    return changed
