"""Truncated singular value decomposition of the interaction matrix."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, whole
from apps.algorithms.deltas import Delta
from apps.algorithms.matrices import column_major
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, interaction_matrix

_SPARE = 10
_SWEEPS = 3
"""Of an update: more finds nothing that a list would show, measured."""


@dataclass(frozen=True)
class SvdSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    factors: int = whole(20, low=1, high=512)


class Svd(PersonalArm):
    """PureSVD: ``scores = x V V'`` for a viewer's weighted row ``x``.

    ``V`` holds the first right singular vectors of the ratings under ``signal``, an absent rating
    counting as 0 (Cremonesi, Koren and Turrin 2010).

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    factors
        Number of singular vectors, 1 to 512; fewer where the matrix has not so many.
    """

    name = "svd"
    settings_class = SvdSettings
    settings: SvdSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["factors"])

    def explained_variance(self, interactions: Interactions) -> float | None:
        """The share of the weighted ratings' sum of squares that the factors hold: ``|XV|^2 / |X|^2``.

        None where nothing weighs anything.
        """
        matrix = interaction_matrix(interactions, self.settings.signal)
        total = float(matrix.data @ matrix.data)
        held = matrix @ self.arrays_["factors"]
        return float(np.einsum("ij,ij->", held, held)) / total if total else None

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        matrix = interaction_matrix(interactions, self.settings.signal)
        vectors = right_singular_vectors(matrix, self.settings.factors, rng)
        return {"factors": column_major(vectors.T)}

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        start = delta.carried(np.asarray(self.arrays_["factors"], dtype=np.float64))
        matrix = interaction_matrix(delta.after, self.settings.signal)
        if start.shape[1] < min(self.settings.factors, *matrix.shape):
            return self._learn(delta.after, rng)
        return {"factors": column_major(warm_singular_vectors(matrix, start, rng).T)}

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        factors: Float32 = self.arrays_["factors"]
        return factors @ (weights @ factors[entries])

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        factors = self.arrays_["factors"]
        return np.asarray((factors[items] @ factors[entries].T) * weights, dtype=np.float64)


def warm_singular_vectors(matrix: sparse.csr_matrix, start: Float64, rng: np.random.Generator) -> Float64:
    """As many right singular vectors as ``start``, ``(n_columns, count)``, has, ``(count, n_columns)``.

    Block subspace iteration from those of a matrix a little different (Halko, Martinsson and Tropp 2011,
    algorithm 4.4), and ``_SPARE`` random directions beside them: a sweep shrinks what is missing by the
    square of the ratio of the first value that is left out to the last that is kept.
    """
    wide = matrix.astype(np.float64)
    n_spare = max(min(_SPARE, min(matrix.shape) - start.shape[1]), 0)
    basis = np.hstack([start, rng.standard_normal((len(start), n_spare)) / np.sqrt(len(start))])
    for _ in range(_SWEEPS):
        basis, _ = np.linalg.qr(wide.T @ (wide @ basis))
    _, values, turned = np.linalg.svd(wide @ basis, full_matrices=False)
    kept = np.flatnonzero(values[: start.shape[1]] > 1e-6 * values.max(initial=0.0))
    return np.asarray((basis @ turned[kept].T).T)


def right_singular_vectors(matrix: sparse.csr_matrix, count: int, rng: np.random.Generator) -> Float64:
    """Right singular vectors of the ``count`` largest singular values, ``(kept, n_columns)``.

    Vectors of vanishing singular values are noise and left out, so ``kept`` may be less.
    """
    smaller = min(matrix.shape)
    if matrix.nnz == 0:
        return np.zeros((0, matrix.shape[1]))
    if count >= smaller - 1:
        _, values, vectors = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
    else:
        start = rng.standard_normal(smaller)
        _, values, vectors = svds(matrix.astype(np.float64), k=count, v0=start)
    order = np.argsort(-values)[:count]
    kept = order[values[order] > 1e-6 * values.max()]
    return np.asarray(vectors[kept])
