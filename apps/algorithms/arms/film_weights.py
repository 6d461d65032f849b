"""Weights from film to film, dense, among the films that have enough ratings for them."""

import numpy as np

from apps.algorithms.matrices import sum_dense_rows
from apps.algorithms.types import Arrays, Float32, Float64, Int64


def pack_weights(weights: Float32, films: Int64, n_items: int) -> Arrays:
    """``weights`` ``(len(films), len(films))``, row the source, among ``n_items`` films; ``films`` ascend."""
    place = np.full(n_items, -1, dtype=np.int64)
    place[films] = np.arange(len(films))
    return {"weights": weights, "place": place}


class FilmWeights:
    """What ``pack_weights`` packed; a film that is not among those has no weight and scores 0."""

    def __init__(self, arrays: Arrays) -> None:
        self._weights: Float32 = np.asarray(arrays["weights"], dtype=np.float32)
        self._place: Int64 = np.asarray(arrays["place"], dtype=np.int64)
        self._films = np.flatnonzero(self._place >= 0)

    @property
    def n_items(self) -> int:
        return len(self._place)

    def scores(self, entries: Int64, weights: Float32) -> Float32:
        """``weights`` times the rows of ``entries``, float32 ``(n_items,)``."""
        places = self._place[entries]
        known = places >= 0
        row = sum_dense_rows(self._weights, places[known], weights[known])
        if len(row) == self.n_items:
            return row
        scores = np.zeros(self.n_items, dtype=np.float32)
        scores[self._films] = row
        return scores

    def shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        """What each of ``entries`` adds to each of ``items``, ``(len(items), len(entries))``."""
        sources, targets = self._place[entries], self._place[items]
        known, wanted = sources >= 0, targets >= 0
        led = np.zeros((len(items), len(entries)))
        led[np.ix_(wanted, known)] = self._weights[np.ix_(sources[known], targets[wanted])].T
        return led * weights
