"""An owner's choice of its next film, given what the slate already holds.

Re-ranking happens inside the choice and never reorders afterwards, so every film keeps the owner
that its slot was drawn for. With diversity ``d`` above 0 the choice is maximal marginal relevance
(Carbonell and Goldstein, SIGIR 1998, equation 1) less a penalty for popularity:

    (1 - w) * relevance - w * highest cosine to a film of the slate - v * log popularity

over the owner's shortlist, with ``w = 0.7 d``, ``v = 0.1 d``, relevance and log popularity scaled
to 0 to 1. One primary genre may hold ``1 - 0.7 d`` of the slots, rounded up, unless the shortlist
holds nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from apps.algorithms.top import top_items
from apps.algorithms.types import Bool, Float32, Int32, Int64

SHORTLIST = 200
MMR_WEIGHT = 0.7
DAMPING_WEIGHT = 0.1
GENRE_CAP = 0.7


class Pick(NamedTuple):
    """A film and the score that its arm gave it."""

    item: int
    score: float


class Picker(Protocol):
    """One owner's films for one slate, used up as the slate grows."""

    def pick(self, slate: Sequence[int]) -> Pick | None:
        """The owner's best film that is not on ``slate``; None when it has none left.

        ``slate`` holds every film placed so far, by whomever, and only ever grows between calls.
        """


@dataclass(frozen=True)
class FilmTraits:
    """What re-ranking knows about the films; made once per catalogue and shared.

    popularity
        float32 ``(n_items,)``, how many people rated or liked each film, at least 0.
    vectors
        float32 ``(n_items, d)``, rows of length one, or zero where nothing is known of a film.
    primary_genre
        int32 ``(n_items,)``; -1 for a film without one, which no cap counts.
    """

    popularity: Float32
    vectors: Float32
    primary_genre: Int32


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
        self._rest = iter(zip(items.tolist(), scores.tolist(), strict=True))

    def pick(self, slate: Sequence[int]) -> Pick | None:
        # A film passed over is on the slate and stays there, so the iterator never has to go back.
        return next((Pick(item, score) for item, score in self._rest if item not in slate), None)


class Diverse:
    """Maximal marginal relevance with damped popularity and a cap per primary genre.

    ``items`` int64 and ``scores`` float32, best first. Equal values fall by place in the shortlist.
    """

    def __init__(self, *, items: Int64, scores: Float32, n_slots: int, reranking: Reranking) -> None:
        traits, diversity = reranking.traits, reranking.diversity
        self._items = items
        self._scores = scores
        self._traits = traits
        self._vectors = traits.vectors[items]
        self._genres = traits.primary_genre[items]
        self._weight = np.float32(MMR_WEIGHT * diversity)
        damping = np.float32(DAMPING_WEIGHT * diversity) * _scaled(np.log1p(traits.popularity[items]))
        self._value = (1 - self._weight) * _scaled(scores) - damping
        self._nearest = np.zeros(len(items), dtype=np.float32)
        self._capped = np.zeros(len(items), dtype=np.bool_)
        self._cap = int(np.ceil(n_slots * (1 - GENRE_CAP * diversity)))
        self._genre_counts: dict[int, int] = {}
        self._n_known = 0

    def pick(self, slate: Sequence[int]) -> Pick | None:
        self._catch_up(slate)
        if len(self._items) == 0:
            return None
        value = self._value - self._weight * self._nearest
        spot = int(np.where(self._capped, -np.inf, value).argmax())
        if self._capped[spot] or value[spot] == -np.inf:
            spot = int(value.argmax())
        if value[spot] == -np.inf:
            return None
        return Pick(int(self._items[spot]), float(self._scores[spot]))

    def _catch_up(self, slate: Sequence[int]) -> None:
        """Take note of the films placed since the last pick."""
        for item in slate[self._n_known :]:
            self._value[self._items == item] = -np.inf
            np.maximum(self._nearest, self._vectors @ self._traits.vectors[item], out=self._nearest)
            genre = int(self._traits.primary_genre[item])
            self._genre_counts[genre] = self._genre_counts.get(genre, 0) + 1
            if genre >= 0 and self._genre_counts[genre] == self._cap:
                self._capped |= self._genres == genre
        self._n_known = len(slate)


def _scaled(values: Float32) -> Float32:
    """``values`` moved and stretched to 0 to 1; zeros when all are equal."""
    if len(values) == 0:
        return values
    low, high = values.min(), values.max()
    scaled: Float32 = (values - low) / (high - low if high > low else np.float32(1))
    return scaled
