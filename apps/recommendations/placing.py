"""Which film goes into which slot: owners are drawn, then each arm places its best film."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apps.algorithms.base import Folded
from apps.algorithms.drafting import FALLBACK, draft, draw_weighted_owners
from apps.algorithms.reranking import Pick, Picker, Reranking, make_picker
from apps.algorithms.strategy import Strategy
from apps.algorithms.types import Bool, History
from apps.training.registry import Engine

FALLBACK_ARM = "popular"


class Placement(NamedTuple):
    """One film by its index in the engine, placed by ``algorithm`` for the slot of ``owner``."""

    item: int
    algorithm: str
    owner: str
    score: float
    propensity: float | None


@dataclass(frozen=True)
class Placed:
    """``owners`` holds the arm drawn for each slot, before anybody passed; ``folds`` the viewer as each
    of the strategy's arms took them in.
    """

    placements: tuple[Placement, ...]
    owners: tuple[str, ...]
    folds: Mapping[str, Folded]

    @property
    def is_personal(self) -> bool:
        """Whether an arm placed any of the films for this viewer, and not for everybody alike."""
        own = {name for name, folded in self.folds.items() if folded.is_personal}
        return any(placement.algorithm in own for placement in self.placements)


def place(
    engine: Engine,
    strategy: Strategy,
    *,
    diversity: float,
    history: History,
    blocked: Bool,
    n: int,
    seed: int,
) -> Placed:
    """The slate of one viewer under a fixed strategy.

    ``diversity`` is what of the strategy's is due to this viewer. ``blocked`` is a bool mask
    ``(n_items,)`` of films that must not be placed. Raises ``KeyError`` when the engine's recipe lacks
    an arm of the strategy. The same seed gives the same slate.
    """
    folds = {name: engine.arms[name].fold(history) for name in strategy.arms}
    weights = strategy.weights or (1.0,)
    owners = draw_weighted_owners(weights, n, np.random.default_rng(seed))
    pickers = _pickers(engine, folds, diversity, blocked=blocked, n=n)
    slots = draft(owners, pickers, _LazyFallback(engine, blocked=blocked, n=n))
    placements = tuple(
        Placement(
            item=slot.item,
            algorithm=FALLBACK_ARM if slot.placed_by == FALLBACK else strategy.arms[slot.placed_by],
            owner=strategy.arms[slot.owner],
            score=slot.score,
            propensity=None if slot.passed else weights[slot.owner],
        )
        for slot in slots
    )
    return Placed(placements, tuple(strategy.arms[owner] for owner in owners.tolist()), folds)


def _pickers(
    engine: Engine, folds: Mapping[str, Folded], diversity: float, *, blocked: Bool, n: int
) -> list[Picker]:
    reranking = Reranking(engine.traits, diversity) if diversity else None
    return [
        make_picker(
            folded.scores,
            excluded=blocked,
            n_slots=n,
            reranking=reranking,
            personal=engine.arms[name].personal,
        )
        for name, folded in folds.items()
    ]


class _LazyFallback:
    """Popular films, scored only when an arm that took part had nothing to place."""

    def __init__(self, engine: Engine, *, blocked: Bool, n: int) -> None:
        self._engine, self._blocked, self._n = engine, blocked, n
        self._picker: Picker | None = None

    def pick(self, slate: Sequence[int]) -> Pick | None:
        if self._picker is None:
            arm = self._engine.arms[FALLBACK_ARM]
            scores = arm.scores([History.empty()])[0]
            self._picker = make_picker(scores, excluded=self._blocked, n_slots=self._n, personal=False)
        return self._picker.pick(slate)
