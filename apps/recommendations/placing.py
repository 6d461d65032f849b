"""Which film goes into which slot: each owner places its best film."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from apps.algorithms.base import Folded, Folds
from apps.algorithms.drafting import FALLBACK, Slot, draft
from apps.algorithms.reranking import Pick, Picker, Reranking, Weighing, make_picker
from apps.algorithms.types import Bool, History
from apps.recommendations.drawing import BanditDraw, Drawn
from apps.training.registry import Engine

FALLBACK_ARM = "popular"
LONG_HISTORY = 20
"""Films of a history from which on no arm is asked whether it knows the viewer: that takes a fold of each."""


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
    of the arms that took part took them in.
    """

    placements: tuple[Placement, ...]
    owners: tuple[str, ...]
    folds: Mapping[str, Folded]
    bandit: BanditDraw | None = None

    @property
    def is_personal(self) -> bool:
        """Whether an arm placed any of the films for this viewer, and not for everybody alike."""
        own = {name for name, folded in self.folds.items() if folded.is_personal}
        return any(placement.algorithm in own for placement in self.placements)


class Folding:
    """One viewer as the arms of an engine take them in, each at most once."""

    def __init__(self, engine: Engine, history: History) -> None:
        self.engine = engine
        self._history = history
        self._folds: Folds = {}

    def of(self, arms: Sequence[str]) -> dict[str, Folded]:
        """By name. Raises ``KeyError`` when the engine's recipe lacks one."""
        return {name: self.engine.arms[name].fold_among(self._history, self._folds) for name in arms}

    def can_all_place(self, arms: Sequence[str]) -> bool:
        """Whether each of the arms knows something of the viewer, or asks for nothing.

        A history of ``LONG_HISTORY`` films is taken to be enough for any. Raises as ``of``.
        """
        if len(self._history) >= LONG_HISTORY:
            return True
        return all(folded.scores.any() for folded in self.of(arms).values())


def place(folding: Folding, drawn: Drawn, *, diversity: float, blocked: Bool) -> Placed:
    """The slate of one viewer, whose owners were drawn.

    ``diversity`` is what of the strategy's is due to this viewer. ``blocked`` is a bool mask
    ``(n_items,)`` of films that must not be placed. Raises ``KeyError`` when the engine's recipe lacks
    an arm that was drawn.
    """
    engine, n = folding.engine, len(drawn.owners)
    folds = folding.of(drawn.arms)
    pickers = make_pickers(engine, folds, diversity, blocked=blocked, n=n)
    slots = draft(drawn.owners, pickers, _LazyFallback(engine, blocked=blocked, n=n))
    return Placed(
        tuple(_placement(slot, drawn) for slot in slots),
        tuple(drawn.arms[owner] for owner in drawn.owners.tolist()),
        folds,
        drawn.bandit,
    )


def _placement(slot: Slot, drawn: Drawn) -> Placement:
    return Placement(
        item=slot.item,
        algorithm=FALLBACK_ARM if slot.placed_by == FALLBACK else drawn.arms[slot.placed_by],
        owner=drawn.arms[slot.owner],
        score=slot.score,
        propensity=None if slot.passed else drawn.propensities[slot.owner],
    )


def make_pickers(
    engine: Engine, folds: Mapping[str, Folded], diversity: float, *, blocked: Bool, n: int
) -> list[Picker]:
    """One for each of ``folds``, in their order, for a slate of ``n``; the rest as for ``place``."""
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

    def weigh(self, item: int, slate: Sequence[int]) -> Weighing | None:
        """It stands in for an arm: no arm weighed the film."""
        return None
