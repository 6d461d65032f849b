"""The stars that a viewer would give a film: biases plus item neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.arms.parameters import Settings, read_settings, real, whole
from apps.algorithms.base import NotFittedError
from apps.algorithms.deltas import Delta
from apps.algorithms.types import Arrays, Float32, Float64, History, Int64, Interactions, Parameters

LOWEST_STARS, HIGHEST_STARS = 0.5, 5.0
_SCALE_MIDDLE = (LOWEST_STARS + HIGHEST_STARS) / 2
_BLOCK_ROWS = 512
_MANY = 4
"""With more than one film in so many to look at, all are."""
_BIAS_SWEEPS = 10


@dataclass(frozen=True)
class PredictorSettings(Settings):
    film_prior: float = real(3.0, low=0.01, high=1_000)
    viewer_prior: float = real(5.0, low=0.01, high=1_000)
    shrinkage: float = real(30.0, low=0.0, high=10_000)
    neighbours: int = whole(300, low=1, high=10_000)
    voters: int = whole(30, low=1, high=1_000)
    damping: float = real(0.1, low=0.001, high=100)


class RatingPredictor:
    """Item neighbours with baseline (Koren 2010, "Factor in the neighbors").

    ``r_ui = mu + b_u + b_i + sum s_ij (r_uj - mu - b_u - b_j) / (damping + sum s_ij)`` over the
    ``voters`` films ``j`` of the viewer's history most like ``i``. ``s_ij`` is the cosine of two
    films' residuals after biases, times ``n / (n + shrinkage)`` for ``n`` people who rated both;
    films unlike each other have no vote. Nothing is kept of any viewer: ``b_u`` is
    ``sum (r_uj - mu - b_j) / (viewer_prior + n)`` over the history at hand.

    Parameters
    ----------
    film_prior, viewer_prior
        Ratings at the mean that a film, a viewer is given beforehand, 0.01 to 1,000.
    shrinkage
        People who rated both films at which a cosine counts half, 0 to 10,000.
    neighbours
        Neighbours stored per film, 1 to 10,000.
    voters
        Films of the history that may vote, 1 to 1,000.
    damping
        Pull to the baseline where few vote, 0.001 to 100.
    """

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        self.settings = read_settings(PredictorSettings, "predictor", parameters)
        self._arrays: Mapping[str, npt.NDArray[Any]] | None = None

    @property
    def parameters(self) -> Parameters:
        return self.settings.as_parameters()

    def fit(self, interactions: Interactions) -> Self:
        """Learn film biases and neighbours from explicit ratings, which all count alike, whatever else there
        is. Without any rating all predictions are mid-scale.
        """
        biases, residuals = self._told_apart(interactions.explicit.ratings)
        all_films = np.arange(interactions.n_items)
        neighbours, similarities = self._neighbours(residuals, all_films)
        self._arrays = {**biases, "neighbours": neighbours, "similarities": similarities}
        return self

    def update(self, delta: Delta) -> Self:
        """A new one that knows ``delta.after``: all biases, and the neighbours of films rated anew."""
        films = np.union1d(delta.rated, delta.described)
        held = self._fitted()
        width = min(self.settings.neighbours, delta.after.n_items)
        updated = type(self)(**self.parameters)
        if len(films) * _MANY > delta.after.n_items or held["neighbours"].shape[1] != width:
            return updated.fit(delta.after)
        biases, residuals = self._told_apart(delta.after.explicit.ratings)
        neighbours = np.array(delta.carried(held["neighbours"]))
        if not delta.is_of_same_films:
            # What is gone votes for nobody any more.
            gone = delta.columns[neighbours] < 0
            neighbours = np.where(gone, 0, delta.columns[neighbours]).astype(np.int32)
        similarities = np.array(delta.carried(held["similarities"]))
        if not delta.is_of_same_films:
            similarities[gone] = 0.0
        neighbours[films], similarities[films] = self._neighbours(residuals, films)
        updated._arrays = {**biases, "neighbours": neighbours, "similarities": similarities}
        return updated

    def predict(self, history: History, items: Int64) -> Float32:
        """Stars of each of ``items``, float32 ``(len(items),)`` in 0.5 to 5.0.

        An empty history is answered with the films' biased means. Raises ``NotFittedError`` before
        ``fit``.
        """
        arrays = self._fitted()
        film_bias = arrays["film_bias"]
        surprise = history.values - arrays["mean"][0] - film_bias[history.items]
        viewer_bias = surprise.sum() / (np.float32(self.settings.viewer_prior) + len(history))
        stars = arrays["mean"][0] + viewer_bias + film_bias[items]
        stars = stars + self._votes(history.items, surprise - viewer_bias, items)
        return np.asarray(np.clip(stars, LOWEST_STARS, HIGHEST_STARS), dtype=np.float32)

    def arrays(self) -> Arrays:
        """Everything ``fit`` learned, as plain numeric arrays. Raises ``NotFittedError`` before."""
        return self._fitted()

    @classmethod
    def from_arrays(cls, parameters: Parameters, arrays: Arrays) -> Self:
        """The predictor as it was saved; ``arrays`` may be memory-mapped and read-only."""
        predictor = cls(**parameters)
        predictor._arrays = {name: np.asarray(array) for name, array in arrays.items()}
        return predictor

    def _fitted(self) -> Mapping[str, npt.NDArray[Any]]:
        if self._arrays is None:
            raise NotFittedError("predictor has not been fitted: call fit or from_arrays first.")
        return self._arrays

    def _votes(self, seen: Int64, residuals: Float32, items: Int64) -> Float32:
        arrays = self._fitted()
        by_film = np.zeros(len(arrays["film_bias"]), dtype=np.float32)
        has_vote = np.zeros(len(by_film), dtype=np.float32)
        by_film[seen], has_vote[seen] = residuals, 1.0
        neighbours = arrays["neighbours"][items]
        weights = arrays["similarities"][items] * has_vote[neighbours]
        # Neighbours come nearest first, so the running count is a voter's rank.
        weights[np.cumsum(weights > 0, axis=1) > self.settings.voters] = 0.0
        total = np.einsum("ij,ij->i", weights, by_film[neighbours])
        votes: Float32 = total / (weights.sum(axis=1) + np.float32(self.settings.damping))
        return votes

    def _told_apart(self, ratings: sparse.csr_matrix) -> tuple[dict[str, Float32], sparse.csr_matrix]:
        mean = float(ratings.data.mean()) if ratings.nnz else _SCALE_MIDDLE
        film_bias, residuals = self._remove_biases(ratings, mean)
        biases = {"mean": np.array([mean], dtype=np.float32), "film_bias": film_bias.astype(np.float32)}
        return biases, residuals

    def _remove_biases(self, ratings: sparse.csr_matrix, mean: float) -> tuple[Float64, sparse.csr_matrix]:
        """Film biases ``(n_items,)`` by alternating means, and what they and viewers' leave over."""
        n_users, n_items = ratings.shape
        people = np.repeat(np.arange(n_users), np.diff(ratings.indptr))
        films = ratings.indices
        surprise = ratings.data.astype(np.float64) - mean
        film_weight = self.settings.film_prior + np.bincount(films, minlength=n_items)
        viewer_weight = self.settings.viewer_prior + np.bincount(people, minlength=n_users)
        film_bias, viewer_bias = np.zeros(n_items), np.zeros(n_users)
        for _ in range(_BIAS_SWEEPS):
            film_bias = np.bincount(films, surprise - viewer_bias[people], n_items) / film_weight
            viewer_bias = np.bincount(people, surprise - film_bias[films], n_users) / viewer_weight
        left = (surprise - viewer_bias[people] - film_bias[films]).astype(np.float32)
        return film_bias, sparse.csr_matrix((left, films, ratings.indptr), shape=ratings.shape)

    def _neighbours(
        self, residuals: sparse.csr_matrix, films: Int64
    ) -> tuple[npt.NDArray[np.int32], Float32]:
        """The films most like ``films``, nearest first, and how alike: both ``(len(films), neighbours)``."""
        n_items = residuals.shape[1]
        width = min(self.settings.neighbours, n_items)
        lengths = np.sqrt(np.asarray(residuals.multiply(residuals).sum(axis=0))).ravel()
        scales = np.divide(1.0, lengths, out=np.zeros(n_items), where=lengths > 1e-6)
        unit = sparse.csc_matrix(residuals @ sparse.diags(scales.astype(np.float32)))
        rated = sparse.csc_matrix(residuals)
        rated.data = np.ones_like(rated.data)
        neighbours = np.zeros((len(films), width), dtype=np.int32)
        similarities = np.zeros((len(films), width), dtype=np.float32)
        for start in range(0, len(films), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            some = films[rows]
            alike = (unit[:, some].T @ unit).toarray()
            both = (rated[:, some].T @ rated).toarray()
            alike *= both / np.maximum(both + np.float32(self.settings.shrinkage), 1e-6)
            alike[np.arange(len(alike)), some] = 0.0
            neighbours[rows], similarities[rows] = _nearest(np.maximum(alike, 0.0), width)
        return neighbours, similarities


def _nearest(alike: Float32, width: int) -> tuple[npt.NDArray[np.int32], Float32]:
    spots = np.argpartition(-alike, width - 1, axis=1)[:, :width]
    values = np.take_along_axis(alike, spots, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return (
        np.take_along_axis(spots, order, axis=1).astype(np.int32),
        np.take_along_axis(values, order, axis=1),
    )
