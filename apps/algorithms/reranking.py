"""An owner's choice of its next film, given what the slate already holds.

Re-ranking happens inside the choice and never reorders afterwards, so every film keeps the owner
that its slot was drawn for. With diversity ``d`` above 0 the choice is maximal marginal relevance
(Carbonell and Goldstein, SIGIR 1998, equation 1) with more than likeness counted as redundancy:

    relevance + d * (lift - MMR_WEIGHT * highest cosine to a film of the slate
                          - GENRE_WEIGHT * films of the slate with the same primary genre)

over the owner's shortlist, with relevance standardised over it. ``lift`` damps films that are popular and
films that would be on everybody's list, and raises niche ones (``FilmTraits.lift``). One primary genre
may hold ``1 - GENRE_CAP d`` of the slots and one series ``1 - SERIES_CAP d``, both rounded up and at least
one, unless the shortlist holds nothing else.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from apps.algorithms.top import top_items
from apps.algorithms.traits import FilmTraits
from apps.algorithms.types import Bool, Float32, Int32, Int64

SHORTLIST = 200
MMR_WEIGHT = 0.75
GENRE_WEIGHT = 0.25
GENRE_CAP = 0.7
SERIES_CAP = 2.0
HISTORY_SCALE = 15.0
_FLAT = 1e-6
_ROUNDING = 1e-9


class Pick(NamedTuple):
    """A film and the score that its arm gave it."""

    item: int
    score: float


class Weighing(NamedTuple):
    """What spoke for and against one film, the slate being as far as it was.

    ``place`` counts from 1 in the order of the arm's scores over what may be shown. The rest are terms of the
    value by which the arm chose, ``relevance + lift + likeness + genre``; None where it kept its own order.
    """

    place: int
    relevance: float | None = None
    lift: float | None = None
    likeness: float | None = None
    genre: float | None = None


class Picker(Protocol):
    """One owner's films for one slate, used up as the slate grows."""

    def pick(self, slate: Sequence[int]) -> Pick | None:
        """The owner's best film that is not on ``slate``; None when it has none left.

        ``slate`` holds every film placed so far, by whomever, and only ever grows between calls.
        """

    def weigh(self, item: int, slate: Sequence[int]) -> Weighing | None:
        """Of a film that is not on ``slate``, which is as for ``pick``; None for one that is not among the
        arm's.
        """


def tempered(diversity: float, n_known: int) -> float:
    """How much of a strategy's ``diversity`` a viewer gets of whom ``n_known`` ratings are known, at least 0.

    ``diversity * n_known / (n_known + HISTORY_SCALE)``: of somebody who said little an arm is unsure, and a
    film off its order is then more often simply a worse one.
    """
    return diversity * n_known / (n_known + HISTORY_SCALE)


@dataclass(frozen=True)
class Reranking:
    """How far to leave an arm's own order: ``diversity`` 0 (not at all) to 1 (most diverse)."""

    traits: FilmTraits
    diversity: float

    def __post_init__(self) -> None:
        if not 0 <= self.diversity <= 1:
            raise ValueError(f"diversity must lie between 0 and 1, not {self.diversity}")


def make_picker(
    scores: Float32,
    *,
    excluded: Int64 | Bool,
    n_slots: int,
    reranking: Reranking | None = None,
    personal: bool = True,
) -> Picker:
    """The picker of one arm for a slate of ``n_slots``.

    ``scores`` is float32 ``(n_items,)`` and is not changed; films whose score is not finite are never
    picked, nor those of ``excluded``, an int64 array of indices or a bool mask ``(n_items,)``. A row of
    zeros from a ``personal`` arm says that it knows nothing of the viewer: its picker has no film.
    Until the slate is full a picker runs out only when its arm has no film left at all. Raises
    ``ValueError`` for an excluded index that is negative. O(n_items).
    """
    if excluded.dtype != np.bool_ and len(excluded) and excluded.min() < 0:
        raise ValueError("excluded films must be indices of the catalogue; drop unknown films first")
    if personal and not scores.any():
        return BestFirst(items=np.empty(0, dtype=np.int64), scores=scores[:0])
    allowed = scores.copy()
    allowed[excluded] = -np.inf
    if reranking is None or reranking.diversity == 0:
        items = top_items(allowed, n_slots)
        return BestFirst(items=items, scores=scores[items])
    # At least n_slots, so that what others place cannot use the shortlist up.
    items = top_items(allowed, max(SHORTLIST, n_slots))
    return Diverse(items=items, scores=scores[items], n_slots=n_slots, reranking=reranking)


class BestFirst:
    """The shortlist in its own order: what ``Diverse`` does at diversity 0, at no cost.

    ``items`` int64 and ``scores`` float32, best first.
    """

    def __init__(self, *, items: Int64, scores: Float32) -> None:
        self._items = items
        self._rest = iter(zip(items.tolist(), scores.tolist(), strict=True))

    def pick(self, slate: Sequence[int]) -> Pick | None:
        # A film passed over is on the slate and stays there, so the iterator never has to go back.
        return next((Pick(item, score) for item, score in self._rest if item not in slate), None)

    def weigh(self, item: int, slate: Sequence[int]) -> Weighing | None:
        place = _place_of(item, self._items)
        return None if place is None else Weighing(place)


class Diverse:
    """The film of the shortlist that is worth most beside those of the slate.

    ``items`` int64 and ``scores`` float32, best first. Equal values fall by place in the shortlist.
    """

    def __init__(self, *, items: Int64, scores: Float32, n_slots: int, reranking: Reranking) -> None:
        traits, diversity = reranking.traits, reranking.diversity
        self._items = items
        self._scores = scores
        self._traits = traits
        self._vectors = traits.vectors[items]
        self._likeness = np.float32(MMR_WEIGHT * diversity)
        self._relevance = _standardised(scores)
        self._lift = np.float32(diversity) * traits.lift[items]
        self._value = self._relevance + self._lift
        self._nearest = np.zeros(len(items), dtype=np.float32)
        self._capped = np.zeros(len(items), dtype=np.bool_)
        genre_cap, series_cap = (most_of_a_group(n_slots, cap * diversity) for cap in (GENRE_CAP, SERIES_CAP))
        self._groups = (
            _Group(traits.primary_genre, items, genre_cap, np.float32(GENRE_WEIGHT * diversity)),
            _Group(traits.series, items, series_cap, np.float32(0)),
        )
        self._n_known = 0

    def pick(self, slate: Sequence[int]) -> Pick | None:
        self._catch_up(slate)
        if len(self._items) == 0:
            return None
        value = self._value - self._likeness * self._nearest
        spot = int(value.argmax())
        if self._capped[spot]:
            within = np.where(self._capped, -np.inf, value)
            best = int(within.argmax())
            spot = spot if within[best] == -np.inf else best
        if value[spot] == -np.inf:
            return None
        return Pick(int(self._items[spot]), float(self._scores[spot]))

    def weigh(self, item: int, slate: Sequence[int]) -> Weighing | None:
        self._catch_up(slate)
        place = _place_of(item, self._items)
        if place is None:
            return None
        spot = place - 1
        return Weighing(
            place=place,
            relevance=float(self._relevance[spot]),
            lift=float(self._lift[spot]),
            likeness=-float(self._likeness * self._nearest[spot]),
            genre=-sum(group.cost(item) for group in self._groups),
        )

    def _catch_up(self, slate: Sequence[int]) -> None:
        """Take note of the films placed since the last pick."""
        for item in slate[self._n_known :]:
            self._value[self._items == item] = -np.inf
            np.maximum(self._nearest, self._vectors @ self._traits.vectors[item], out=self._nearest)
            for group in self._groups:
                group.count(item, value=self._value, capped=self._capped)
        self._n_known = len(slate)


def most_of_a_group(n_slots: int, kept_back: float) -> int:
    """How many of ``n_slots`` a group may hold that leaves the share ``kept_back`` to others."""
    # Without the margin 10 (1 - .7), which is 3 and a rounding error, would be rounded up to 4.
    return max(1, math.ceil(n_slots * (1 - kept_back) - _ROUNDING))


class _Group:
    """What the films of one genre, or series, cost the next one of it: ``weight`` each, and a ``cap``."""

    def __init__(self, group_of: Int32, items: Int64, cap: int, weight: np.float32) -> None:
        self._group_of = group_of
        self._own = group_of[items]
        self._cap = cap
        self._weight = weight
        self._counts: Counter[int] = Counter()

    def cost(self, item: int) -> float:
        """What those of the slate take from ``item``'s value."""
        return float(self._weight) * self._counts[int(self._group_of[item])]

    def count(self, item: int, *, value: Float32, capped: Bool) -> None:
        """Lowers ``value`` and marks ``capped`` for the films of ``item``'s group; both in place."""
        group = int(self._group_of[item])
        if group < 0:
            return
        self._counts[group] += 1
        same = self._own == group
        if self._weight:
            # Faster than by the mask as an index.
            value -= same * self._weight
        if self._counts[group] == self._cap:
            capped |= same


def _place_of(item: int, items: Int64) -> int | None:
    (found,) = np.nonzero(items == item)
    return int(found[0]) + 1 if len(found) else None


def _standardised(values: Float32) -> Float32:
    """``values`` less their mean, over their deviation; zeros when all are equal."""
    if len(values) == 0:
        return values
    centred = values - values.mean()
    spread = np.sqrt((centred * centred).mean())
    return np.asarray(centred / spread if spread > _FLAT else np.zeros_like(centred), dtype=np.float32)
