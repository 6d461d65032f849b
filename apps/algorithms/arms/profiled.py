"""The nearest-profile content model over one dense vector a film."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, real
from apps.algorithms.matrices import column_major, profile_length
from apps.algorithms.popularity import popularity
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions


@dataclass(frozen=True)
class ProfiledSettings(PersonalSettings):
    popularity_weight: float = real(1.0, low=0.0, high=100.0)


class ProfiledArm(PersonalArm):
    """Cosine of the viewer's profile and a film's vector, plus popularity.

    ``score_i = p'v_i / |p| + popularity_weight * popularity_i`` with unit vectors ``v`` and the profile
    ``p = sum w_j v_j`` (Pazzani and Billsus 2007). Popularity is 0 to 1, see ``apps.algorithms.popularity``.
    """

    settings: ProfiledSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["popularity"])

    @abstractmethod
    def _vectors(self, interactions: Interactions) -> Float32:
        """Vectors ``(n_items, width)``, each of length one, or 0 where nothing is known of the film."""

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        return {
            "vectors": column_major(self._vectors(interactions)),
            "popularity": popularity(interactions.ratings, interactions.weights),
        }

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        vectors: Float32 = self.arrays_["vectors"]
        profile: Float32 = weights @ vectors[entries]
        prior = np.float32(self.settings.popularity_weight) * self.arrays_["popularity"]
        return np.asarray(prior + vectors @ (profile / profile_length(profile)), dtype=np.float32)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        vectors = self.arrays_["vectors"]
        scale = weights / profile_length(weights @ vectors[entries])
        return np.asarray((vectors[items] @ vectors[entries].T) * scale, dtype=np.float64)
