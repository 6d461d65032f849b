"""Films of the genres that a viewer watches."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real
from apps.algorithms.matrices import column_major
from apps.algorithms.popularity import popularity
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS


@dataclass(frozen=True)
class GenreSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    popularity_weight: float = real(2.0, low=0.0, high=100.0)


class Genre(PersonalArm):
    """Cosine of the viewer's genre profile and a film's genres, plus popularity.

    ``score_i = p'g_i / |p| + popularity_weight * popularity_i`` with unit genre rows ``g`` and the
    profile ``p = sum w_j g_j`` (the nearest-profile content model, Pazzani and Billsus 2007).
    Hundreds of films share one set of genres; popularity, 0 to 1, puts them in order.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    popularity_weight
        0 to 100.
    """

    name = "genre"
    settings_class = GenreSettings
    settings: GenreSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["genres"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        genres = interactions.features.genres.toarray().astype(np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", genres, genres))
        genres /= np.maximum(norms, 1e-12)[:, None]
        return {"genres": column_major(genres), "popularity": popularity(interactions.ratings)}

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        genres: Float32 = self.arrays_["genres"]
        prior: Float32 = self.arrays_["popularity"]
        return genres @ self._profile(entries, weights) + np.float32(self.settings.popularity_weight) * prior

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        genres = self.arrays_["genres"]
        scale = weights / _length(weights @ genres[entries])
        return np.asarray((genres[items] @ genres[entries].T) * scale, dtype=np.float64)

    def _profile(self, entries: Int64, weights: Float32) -> Float32:
        profile: Float32 = weights @ self.arrays_["genres"][entries]
        return profile / _length(profile)


def _length(profile: Float32) -> np.float32:
    return np.float32(max(float(np.sqrt(profile @ profile)), 1e-12))
