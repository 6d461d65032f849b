"""Weights from film to film, dense, among the films that have enough ratings for them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.matrices import row_blocks, sum_dense_rows
from apps.algorithms.types import Arrays, Float32, Float64, Int64


@dataclass(frozen=True)
class Patch:
    """What updates made of dense weights, which stay as they are: ``B = W diag(scales) + left right'``.

    ``left`` and ``right`` are float32 ``(n_items, rank)``, ``scales`` float32 ``(n_items,)``; no film tells
    itself, whatever the product says.
    """

    left: Float32
    right: Float32
    scales: Float32

    @property
    def rank(self) -> int:
        return int(self.left.shape[1])


def pack_weights(weights: Float32, films: Int64, n_items: int) -> Arrays:
    """``weights`` ``(len(films), len(films))``, row the source, among ``n_items`` films; ``films`` ascend."""
    place = np.full(n_items, -1, dtype=np.int64)
    place[films] = np.arange(len(films))
    return {"weights": weights, "place": place}


def pack_patch(patch: Patch) -> Arrays:
    """Column by column, so that all rows times one vector run over whole columns."""
    return {
        "left": np.ascontiguousarray(patch.left, dtype=np.float32),
        "right": np.asfortranarray(patch.right, dtype=np.float32),
        "scales": patch.scales.astype(np.float32),
    }


class FilmWeights:
    """What ``pack_weights`` packed, and ``pack_patch``; a film that is in neither scores 0."""

    def __init__(self, arrays: Arrays) -> None:
        self._weights: Float32 = np.asarray(arrays["weights"], dtype=np.float32)
        self._place: Int64 = np.asarray(arrays["place"], dtype=np.int64)
        self._films = np.flatnonzero(self._place >= 0)
        self._patch = _patch_of(arrays)

    @property
    def n_items(self) -> int:
        return len(self._place)

    def scores(self, entries: Int64, weights: Float32) -> Float32:
        """``weights`` times the rows of ``entries``, float32 ``(n_items,)``."""
        places = self._place[entries]
        known = places >= 0
        scores = sum_dense_rows(self._weights, places[known], weights[known])
        if len(scores) < self.n_items:
            row, scores = scores, np.zeros(self.n_items, dtype=np.float32)
            scores[self._films] = row
        if self._patch is None:
            return scores
        left = self._patch.left[entries]
        scores *= self._patch.scales
        scores += self._patch.right @ (weights @ left)
        scores[entries] -= weights * np.einsum("ij,ij->i", left, self._patch.right[entries])
        return scores

    def shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        """What each of ``entries`` adds to each of ``items``, ``(len(items), len(entries))``."""
        sources, targets = self._place[entries], self._place[items]
        known, wanted = sources >= 0, targets >= 0
        led = np.zeros((len(items), len(entries)))
        led[np.ix_(wanted, known)] = self._weights[np.ix_(sources[known], targets[wanted])].T
        if self._patch is not None:
            led *= self._patch.scales[items][:, None]
            led += self._patch.right[items] @ self._patch.left[entries].T
            led[items[:, None] == entries[None, :]] = 0.0
        return led * weights

    @property
    def rank(self) -> int:
        return self._patch.rank if self._patch else 0

    def patched(self, left: Float32, right: Float32, scales: Float32) -> Patch:
        """The patch after ``B' = B diag(scales) + left right'``; shapes as in ``Patch``."""
        if self._patch is None:
            return Patch(left, right, scales)
        return Patch(
            np.hstack([self._patch.left, left]),
            np.hstack([self._patch.right * scales[:, None], right]),
            self._patch.scales * scales,
        )

    # --- Of films by their places: what updates are worked out in ------------------------------------

    def product(self, block: Float32) -> Float32:
        """``block' B`` for ``block`` ``(n_films, n)``: ``(n, n_films)``, with the diagonal of the factors."""
        found: Float32 = block.T @ self._weights
        if self._patch is not None:
            left, right = self._patch.left[self._films], self._patch.right[self._films]
            found *= self._patch.scales[self._films]
            found += (block.T @ left) @ right.T
        return found

    def own(self, places: Int64) -> Float32:
        """What the factors say that films tell themselves, which is never served."""
        if self._patch is None:
            return np.zeros(len(places), dtype=np.float32)
        films = self._films[places]
        return np.asarray(np.einsum("ij,ij->i", self._patch.left[films], self._patch.right[films]))

    def spread(self, left: Float32, right: Float32) -> Patch:
        """The patch after ``B' = B + left right'``, both ``(n_films, n)``."""
        wide = np.zeros((2, self.n_items, left.shape[1]), dtype=np.float32)
        wide[0, self._films], wide[1, self._films] = left, right
        return self.patched(wide[0], wide[1], np.ones(self.n_items, dtype=np.float32))

    def solid(self, films: Int64 | None = None) -> Float32:
        """All weights among ``films``, which ascend and hold all that have a place, as one dense matrix.

        ``(len(films), len(films))``; without ``films`` those that have a place.
        """
        films = self._films if films is None else films
        found = np.empty((len(films), len(films)), dtype=np.float32)
        patch = self._patch or _no_patch(self.n_items)
        left, right = patch.left[films], np.ascontiguousarray(patch.right[films].T)
        place, scales = self._place[films], patch.scales[films]
        known = np.flatnonzero(place >= 0)
        # Some rows at a time: the memory is touched once.
        for rows in row_blocks(len(films)):
            block = found[rows]
            np.matmul(left[rows], right, out=block)
            held = np.flatnonzero(place[rows] >= 0)
            if len(known) == len(films):
                block += self._weights[rows] * scales
            else:
                weights = self._weights[place[rows][held]][:, place[known]] * scales[known]
                block[np.ix_(held, known)] += weights
        np.fill_diagonal(found, 0.0)
        return found

    def led(self, histories: sparse.csr_matrix) -> Float32:
        """``scores`` of each row of weights, CSR ``(n, n_items)``: ``(n, n_items)``."""
        found = np.zeros(histories.shape, dtype=np.float32)
        found[:, self._films] = histories[:, self._films] @ self._weights
        if self._patch is not None:
            found *= self._patch.scales
            found += (histories @ self._patch.left) @ self._patch.right.T
            # No film tells itself, whatever the product says.
            owner = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
            left, right = (side[histories.indices] for side in (self._patch.left, self._patch.right))
            found[owner, histories.indices] -= histories.data * np.einsum("ij,ij->i", left, right)
        return found


def _no_patch(n_items: int) -> Patch:
    nothing = np.zeros((n_items, 0), dtype=np.float32)
    return Patch(nothing, nothing, np.ones(n_items, dtype=np.float32))


def _patch_of(arrays: Arrays) -> Patch | None:
    if "left" not in arrays:
        return None
    left, right, scales = (np.asarray(arrays[name], dtype=np.float32) for name in ("left", "right", "scales"))
    return Patch(left, right, scales)
