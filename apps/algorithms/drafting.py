"""The weighted draft: owners of the slots are drawn first, then each places its best film.

Owners are drawn without a look at content, which is what gives every slot a propensity. An owner
is the place of an arm among the arms that take part in this slate: for a bandit its rank in the
draw, for a fixed strategy its place among the strategy's arms.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from apps.algorithms.reranking import Pick, Picker
from apps.algorithms.types import Float64, Int64

FALLBACK: Final = -1
"""``placed_by`` of a film that the fallback placed, as no arm that took part had one."""


class Slot(NamedTuple):
    """One film of a slate: whose slot it was, who filled it, and that arm's score of the film."""

    item: int
    owner: int
    placed_by: int
    score: float

    @property
    def passed(self) -> bool:
        """Whether the owner had nothing to place; such a slot has no propensity."""
        return self.placed_by != self.owner


def draw_owners(n_owners: int, n_slots: int, rng: np.random.Generator) -> Int64:
    """The owner of each slot, int64 ``(n_slots,)``, when all share a slate equally.

    Each owner gets ``n_slots // n_owners`` slots, the remainder goes one each to owners drawn at
    random, and the order is random. Every slot belongs to every owner with probability
    ``1 / n_owners``.
    """
    if n_owners < 1:
        raise ValueError("a slate needs at least one owner")
    extra = rng.permutation(n_owners)[: n_slots % n_owners]
    owners = np.concatenate([np.repeat(np.arange(n_owners), n_slots // n_owners), extra])
    return rng.permutation(owners)


def draw_weighted_owners(weights: Sequence[float], n_slots: int, rng: np.random.Generator) -> Int64:
    """The owner of each slot, int64 ``(n_slots,)``, drawn independently by ``weights``.

    A slot's propensity is its owner's weight. ``weights`` are those of a fixed strategy: above 0 and
    1 in sum. A single owner takes no draw.
    """
    if len(weights) == 1:
        return np.zeros(n_slots, dtype=np.int64)
    ends = np.cumsum(np.asarray(weights, dtype=np.float64))
    # Scaled by the sum as computed, so that rounding leaves no gap below 1.
    owners: Int64 = np.searchsorted(ends, rng.random(n_slots) * ends[-1], side="right")
    return owners


def equal_slot_probabilities(n_slots: int, n_owners: int) -> Float64:
    """P(slot belongs to owner) under ``draw_owners``: float64 ``(n_slots, n_owners)``."""
    return np.full((n_slots, n_owners), 1 / n_owners)


def slot_propensities(rank_propensities: Float64, slot_probabilities: Float64) -> Float64:
    """P(slot belongs to arm), float64 ``(n_slots, n_arms)``.

    The sum over ranks r of P(arm drawn r-th) times P(slot owned by the r-th). ``rank_propensities``
    is ``(n_arms, k)``, each column a distribution over the arms; ``slot_probabilities`` is
    ``(n_slots, k)``, each row a distribution over the ranks. Raises ``ValueError`` when they do not fit.
    """
    if rank_propensities.shape[1] != slot_probabilities.shape[1]:
        raise ValueError("both must have one column per rank")
    if not (_are_ones(rank_propensities.sum(axis=0)) and _are_ones(slot_probabilities.sum(axis=1))):
        raise ValueError("every rank needs one arm, and every slot one rank: the probabilities must sum to 1")
    return slot_probabilities @ rank_propensities.T


def _are_ones(sums: Float64) -> bool:
    """As ``np.allclose`` has it, in a fifth of the time: every slate of a bandit asks."""
    return bool((np.abs(sums - 1) <= 1e-5).all())


def draft(owners: Int64, pickers: Sequence[Picker], fallback: Picker | None = None) -> list[Slot]:
    """The slate, in order of its slots.

    ``owners`` ``(n_slots,)`` are indices into ``pickers``. An owner with nothing to place passes, and
    the next arm that has a film fills the slot: those after it in ``pickers``, then those before,
    last ``fallback``. The slate is shorter than ``owners`` only when nobody has a film left. Films
    are unique; the pickers keep them off the excluded ones.
    """
    slate: list[int] = []
    slots: list[Slot] = []
    for owner in owners.tolist():
        found = _place(owner, pickers, fallback, slate)
        if found is None:
            break
        placed_by, pick = found
        slate.append(pick.item)
        slots.append(Slot(item=pick.item, owner=owner, placed_by=placed_by, score=pick.score))
    return slots


def _place(
    owner: int, pickers: Sequence[Picker], fallback: Picker | None, slate: list[int]
) -> tuple[int, Pick] | None:
    for step in range(len(pickers)):
        arm = (owner + step) % len(pickers)
        pick = pickers[arm].pick(slate)
        if pick is not None:
            return arm, pick
    pick = fallback.pick(slate) if fallback is not None else None
    return None if pick is None else (FALLBACK, pick)
