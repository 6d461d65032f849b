"""Item-based collaborative filtering: a viewer's scores are a sum of rows of film weights."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from apps.algorithms.arms.ease import ease_weights, updated_ease
from apps.algorithms.arms.film_weights import FilmWeights, pack_patch, pack_weights
from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.neighbours import bm25_neighbours, share_of_pairs, updated_neighbours
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real, whole
from apps.algorithms.deltas import Delta
from apps.algorithms.matrices import dense_block, pack_csr, sum_rows, unpack_csr
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, interaction_matrix

KEPT_RANK = 128
"""Of what updates leave beside EASE's weights: with more the arm is loose, and each list pays for it."""
MAX_RANK = 640
"""With more an update compacts it itself, however long that takes."""
MOST_NEW = 512
"""Columns that one update may add: with more, a fit takes no longer."""
_MANY = 4
"""With more than one in so many pairs of ratings to be multiplied anew, all neighbours are learned anew: a
fit multiplies on all cores, and twice as fast on each."""


@dataclass(frozen=True)
class ItemCfSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    method: str = choice("auto", options=("auto", "ease", "bm25"))
    max_ease_items: int = whole(10_000, low=1, high=30_000)
    l2: float = real(100.0, low=0.1, high=1_000_000)
    neighbours: int = whole(200, low=1, high=10_000)
    bm25_k1: float = real(0.6, low=0.01, high=1_000)
    bm25_b: float = real(0.1, low=0.0, high=1.0)


class ItemCf(PersonalArm):
    """Item-based collaborative filtering: ``scores = x B`` for a viewer's weighted row ``x``.

    ``B`` is EASE (Steck 2019) over the films that somebody rated, kept whole, while its dense inverse is
    affordable; with more than ``max_ease_items`` of them it is BM25 neighbours, kept sparse with
    ``neighbours`` entries a row and also turned round: what led to a few films is read off their own
    rows. A film that nobody rated scores 0.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    method
        ``ease``, ``bm25``, or ``auto`` to choose by the number of rated films.
    max_ease_items
        Rated films up to which ``auto`` takes EASE, 1 to 30,000.
    l2
        EASE's regularisation, 0.1 to 1,000,000.
    neighbours
        BM25 neighbours kept per film, 1 to 10,000.
    bm25_k1, bm25_b
        BM25's saturation, 0.01 to 1,000, and length normalisation, 0 to 1.
    """

    name = "item_cf"
    settings_class = ItemCfSettings
    settings: ItemCfSettings
    _dense: FilmWeights | None
    _rows: sparse.csr_matrix
    _targets: sparse.csr_matrix

    @property
    def n_items(self) -> int:
        arrays = self.arrays_
        return int(arrays["rows_shape"][0]) if self._dense is None else self._dense.n_items

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        settings = self.settings
        matrix = interaction_matrix(interactions, settings.signal)
        rated = np.unique(matrix.indices).astype(np.int64)
        if self._method(len(rated)) == "ease":
            weights, diagonal = ease_weights(matrix[:, rated], settings.l2)
            # A film that nobody rated meets none: its part of P is that of the regularisation alone.
            of_all = np.full(interactions.n_items, 1.0 / settings.l2)
            of_all[rated] = diagonal
            return {**pack_weights(weights, rated, interactions.n_items), "diagonal": of_all}
        rows = bm25_neighbours(matrix, settings.neighbours, k1=settings.bm25_k1, b=settings.bm25_b)
        return _pack_neighbours(rows)

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        found = self._updated_bm25(delta) if self._dense is None else self._updated_ease(delta)
        return self._learn(delta.after, rng) if found is None else found

    def _updated_bm25(self, delta: Delta) -> Arrays | None:
        """None where a fit takes no longer, or now takes the other method."""
        settings, films = self.settings, delta.rated
        matrix = interaction_matrix(delta.after, settings.signal)
        if (
            share_of_pairs(matrix, films) * _MANY > 1
            or self._method(len(np.unique(matrix.indices))) != "bm25"
        ):
            return None
        rows = updated_neighbours(
            delta.moved_square(self._rows),
            matrix,
            films,
            settings.neighbours,
            k1=settings.bm25_k1,
            b=settings.bm25_b,
        )
        return _pack_neighbours(rows)

    def _updated_ease(self, delta: Delta) -> Arrays | None:
        """None where a fit is cheaper than to go on: of many people's ratings, or where a film is gone."""
        arrays, was, now = self.arrays_, *delta.weighted(self.settings.signal)
        rated = np.unique(interaction_matrix(delta.after, self.settings.signal).indices).astype(np.int64)
        if (
            2 * delta.n_people > MOST_NEW
            or "diagonal" not in arrays
            or np.any(arrays["place"][delta.columns < 0] >= 0)
            or self._method(len(rated)) != "ease"
        ):
            return None
        carried = {"place": delta.carried(arrays["place"], -1)}
        carried |= {name: delta.carried(arrays[name]) for name in ("left", "right") if name in arrays}
        carried |= {name: delta.carried(arrays[name], 1.0) for name in ("scales",) if name in arrays}
        weights = FilmWeights({"weights": arrays["weights"], **carried})
        diagonal = delta.carried(arrays["diagonal"], 1.0 / self.settings.l2)
        patch, after = updated_ease(weights, diagonal, was, now)
        packed = {"place": carried["place"], **pack_patch(patch)}
        if patch.rank <= MAX_RANK:
            return {"weights": arrays["weights"], **packed, "diagonal": after}
        films = np.union1d(rated, np.flatnonzero(carried["place"] >= 0))
        solid = FilmWeights({"weights": arrays["weights"], **packed}).solid(films)
        return {**pack_weights(solid, films, delta.after.n_items), "diagonal": after}

    @property
    def is_loose(self) -> bool:
        return self._dense is not None and self._dense.rank > KEPT_RANK

    def compacted(self) -> Self:
        if self._dense is None or not self.is_loose:
            return self
        arrays = self.arrays_
        # A film that came since is in the factors alone.
        reached = np.any(arrays["left"], axis=1) | np.any(arrays["right"], axis=1)
        films = np.flatnonzero(reached | (arrays["place"] >= 0))
        packed = pack_weights(self._dense.solid(films), films, self.n_items)
        return self.from_arrays(self.parameters, {**packed, "diagonal": arrays["diagonal"]})

    def _method(self, n_rated: int) -> str:
        if self.settings.method != "auto":
            return self.settings.method
        return "ease" if n_rated <= self.settings.max_ease_items else "bm25"

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._dense = FilmWeights(self.arrays_) if "weights" in self.arrays_ else None
        if self._dense is None:
            self._rows = unpack_csr("rows", self.arrays_)
            self._targets = unpack_csr("targets", self.arrays_)

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        if self._dense is None:
            return sum_rows(self._rows, entries, weights)
        return self._dense.scores(entries, weights)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        if self._dense is None:
            return np.asarray(dense_block(self._targets, items, entries) * weights, dtype=np.float64)
        return self._dense.shares(entries, weights, items)


def _pack_neighbours(rows: sparse.csr_matrix) -> Arrays:
    return {**pack_csr("rows", rows), **pack_csr("targets", sparse.csr_matrix(rows.T))}
