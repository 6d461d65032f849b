"""Truncated singular value decomposition of the interaction matrix."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real, whole
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, signal_matrix


@dataclass(frozen=True)
class SvdSettings(PersonalSettings):
    signal: str = choice("all", options=SIGNALS)
    half_life: float | None = optional_real(None, low=0.5, high=10_000)
    factors: int = whole(16, low=1, high=512)
    popularity_exponent: float = real(1.0, low=0.0, high=1.0)


class Svd(PersonalArm):
    """PureSVD with popularity scaling: ``scores = x V V'`` for a viewer's weighted row ``x``.

    ``V`` holds the first right singular vectors of ``R D``, where ``R`` holds the ratings under
    ``signal`` and ``D = diag(|R_i| ** (popularity_exponent - 1))`` takes popularity out of the
    columns; at exponent 1 this is PureSVD (Cremonesi, Koren and Turrin 2010, eq. 8), between 0
    and 1 EigenRec (Nikolakopoulos et al. 2019). An absent rating counts as 0.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    factors
        Number of singular vectors, 1 to 512; fewer where the matrix has not so many.
    popularity_exponent
        0 to 1; smaller numbers favour less known films.
    """

    name = "svd"
    settings_class = SvdSettings
    settings: SvdSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["factors"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        matrix = signal_matrix(interactions.ratings, self.settings.signal)
        scaled = _scale_columns(matrix, self.settings.popularity_exponent)
        vectors = right_singular_vectors(scaled, self.settings.factors, rng)
        return {"factors": np.ascontiguousarray(vectors.T, dtype=np.float32)}

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        factors: Float32 = self.arrays_["factors"]
        return factors @ (weights @ factors[entries])

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        factors = self.arrays_["factors"]
        return np.asarray((factors[items] @ factors[entries].T) * weights, dtype=np.float64)


def _scale_columns(matrix: sparse.csr_matrix, exponent: float) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    scales = np.power(np.maximum(norms, 1e-12), exponent - 1.0)
    return sparse.csr_matrix(matrix @ sparse.diags(np.where(norms > 0, scales, 0.0)))


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
