"""Implicit-feedback matrix factorisation by alternating least squares."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real, whole
from apps.algorithms.deltas import Delta
from apps.algorithms.matrices import column_major
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, interaction_matrix


@dataclass(frozen=True)
class AlsSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    factors: int = whole(64, low=1, high=512)
    regularization: float = real(15.0, low=0.001, high=10_000)
    alpha: float = real(3.0, low=0.01, high=1_000)
    iterations: int = whole(15, low=1, high=200)


_WARM_SWEEPS = 2
_NEW_SPREAD = 0.01


class Als(PersonalArm):
    """iALS (Hu, Koren and Volinsky 2008, eq. 4), fitted by ``implicit``; no viewer is stored.

    A rating of weight ``w`` has confidence ``c = alpha * w`` and preference 1, an absent one
    confidence 1 and preference 0. A viewer is folded in by the same equation against the film
    factors ``Y``: ``x = (Y'Y + reg I + sum (c - 1) y y')^-1 sum c y``, ``scores = Y x``. ``Y'Y`` is
    stored, so a viewer costs one ``factors x factors`` solve.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    factors
        1 to 512.
    regularization
        0.001 to 10,000; ``implicit``'s own 0.01 is far too little.
    alpha
        Confidence of a rating of weight 1, 0.01 to 1,000.
    iterations
        1 to 200 sweeps.
    """

    name = "als"
    settings_class = AlsSettings
    settings: AlsSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["factors"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        matrix = interaction_matrix(interactions, self.settings.signal)
        return _packed(self._factorise(matrix, int(rng.integers(2**31))))

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        """A few sweeps from the factors that there are; films that are new to it begin at random."""
        known = np.asarray(self.arrays_["factors"])
        n_new = delta.after.n_items - int(np.count_nonzero(delta.columns >= 0))
        start = np.array(delta.carried(known), dtype=np.float32)
        is_new = np.ones(len(start), dtype=np.bool_)
        is_new[delta.columns[delta.columns >= 0]] = False
        start[is_new] = rng.standard_normal((n_new, known.shape[1]), dtype=np.float32) * _NEW_SPREAD
        matrix = interaction_matrix(delta.after, self.settings.signal)
        if not known.any():
            return self._learn(delta.after, rng)
        return _packed(self._factorise(matrix, int(rng.integers(2**31)), start=start))

    def _factorise(self, matrix: sparse.csr_matrix, seed: int, *, start: Float32 | None = None) -> Float32:
        if matrix.nnz == 0:
            return np.zeros((matrix.shape[1], self.settings.factors), dtype=np.float32)
        # Here, because a process that only serves never needs it.
        from implicit.cpu.als import AlternatingLeastSquares

        # implicit's fit() on a fitted object warm-starts with the old shapes without a word, so
        # every fit takes a new object. Its threads and those of BLAS would fight for the cores.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.settings.factors,
                regularization=self.settings.regularization,
                alpha=self.settings.alpha,
                iterations=self.settings.iterations if start is None else _WARM_SWEEPS,
                random_state=seed,
            )
            if start is not None:
                # People are solved for first, from the films: what they begin at is only where the solver
                # begins.
                model.item_factors = np.ascontiguousarray(start)
                model.user_factors = np.zeros((matrix.shape[0], start.shape[1]), dtype=np.float32)
            model.fit(matrix, show_progress=False)
        return column_major(model.item_factors)

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        factors: Float32 = self.arrays_["factors"]
        seen = factors[entries].astype(np.float64)
        confidence = self.settings.alpha * weights.astype(np.float64)
        taste = np.linalg.solve(self._system(seen, confidence), confidence @ seen)
        return factors @ taste.astype(np.float32)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        factors = self.arrays_["factors"]
        seen = factors[entries].astype(np.float64)
        confidence = self.settings.alpha * weights.astype(np.float64)
        solved = np.linalg.solve(self._system(seen, confidence), seen.T)
        return np.asarray((factors[items].astype(np.float64) @ solved) * confidence)

    def _system(self, seen: Float64, confidence: Float64) -> Float64:
        gram: Float64 = self.arrays_["gram"]
        system = gram + (seen.T * (confidence - 1.0)) @ seen
        system.flat[:: len(system) + 1] += self.settings.regularization
        return system


def _packed(factors: Float32) -> Arrays:
    wide = factors.astype(np.float64)
    return {"factors": factors, "gram": wide.T @ wide}
