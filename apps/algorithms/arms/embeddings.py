"""Films whose text and poster are like those of the films that a viewer watched."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.parameters import choice, optional_real, real
from apps.algorithms.arms.profiled import ProfiledArm, ProfiledSettings
from apps.algorithms.matrices import unit_rows
from apps.algorithms.types import Bool, Float32, Interactions
from apps.algorithms.weights import SIGNALS


@dataclass(frozen=True)
class EmbeddingsSettings(ProfiledSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    popularity_weight: float = real(1.5, low=0.0, high=100.0)


class Embeddings(ProfiledArm):
    """Cosine of the viewer's profile and a film's vector, plus popularity.

    A film's vector is what an encoder made of what the catalogue tells, less the mean over the films, at
    length one: what all texts have in common likens nothing (Mu and Viswanath, "All-but-the-Top", 2018).
    A film of which nothing is told has none.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    popularity_weight
        0 to 100.
    """

    name = "embeddings"
    settings_class = EmbeddingsSettings
    reads_vectors = True
    settings: EmbeddingsSettings

    def _vectors(self, interactions: Interactions) -> Float32:
        vectors = interactions.features.vectors
        told: Bool = np.any(vectors, axis=1)
        mean = vectors[told].mean(axis=0, dtype=np.float64) if told.any() else 0.0
        return unit_rows((vectors - mean) * told[:, None])
