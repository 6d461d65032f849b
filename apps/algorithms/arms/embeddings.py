"""Films whose text and poster are like those of the films that a viewer watched."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real
from apps.algorithms.matrices import column_major, unit_rows
from apps.algorithms.popularity import popularity
from apps.algorithms.types import Arrays, Bool, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS


@dataclass(frozen=True)
class EmbeddingsSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    popularity_weight: float = real(1.5, low=0.0, high=100.0)


class Embeddings(PersonalArm):
    """Cosine of the viewer's profile and a film's vector, plus popularity.

    ``score_i = p'v_i / |p| + popularity_weight * popularity_i`` with the profile ``p = sum w_j v_j`` (the
    nearest-profile content model, Pazzani and Billsus 2007). ``v_i`` is what an encoder made of what the
    catalogue tells, less the mean over the films, at length one: what all texts have in common likens
    nothing (Mu and Viswanath, "All-but-the-Top", 2018). A film of which nothing is told has ``v_i = 0``.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    popularity_weight
        0 to 100.
    """

    name = "embeddings"
    settings_class = EmbeddingsSettings
    settings: EmbeddingsSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["popularity"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        return {
            "vectors": column_major(_centred(interactions.features.vectors)),
            "popularity": popularity(interactions.ratings),
        }

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        vectors: Float32 = self.arrays_["vectors"]
        profile: Float32 = weights @ vectors[entries]
        prior = np.float32(self.settings.popularity_weight) * self.arrays_["popularity"]
        return np.asarray(prior + vectors @ (profile / _length(profile)), dtype=np.float32)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        vectors = self.arrays_["vectors"]
        scale = weights / _length(weights @ vectors[entries])
        return np.asarray((vectors[items] @ vectors[entries].T) * scale, dtype=np.float64)


def _centred(vectors: Float32) -> Float32:
    told: Bool = np.any(vectors, axis=1)
    mean = vectors[told].mean(axis=0, dtype=np.float64) if told.any() else 0.0
    return unit_rows((vectors - mean) * told[:, None])


def _length(profile: Float32) -> np.float32:
    return np.float32(max(float(np.sqrt(profile @ profile)), 1e-12))
