"""Films that the catalogue describes like those a viewer watched."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real
from apps.algorithms.matrices import (
    count_entries,
    dense_block,
    pack_csr,
    profile_length,
    stored_columns,
    sum_rows,
    unpack_csr,
)
from apps.algorithms.popularity import popularity
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions, ItemFeatures
from apps.algorithms.weights import SIGNALS

_SCATTER_COST = 3
"""What an entry taken column by column costs beside one of a pass over the whole matrix, measured."""


@dataclass(frozen=True)
class ContentSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    genre_weight: float = real(1.0, low=0.0, high=100.0)
    popularity_weight: float = real(1.0, low=0.0, high=100.0)


class Content(PersonalArm):
    """Cosine of TF-IDF profiles, plus popularity.

    A film's row holds its terms and, times ``genre_weight``, its genres, each times
    ``idf = log((1 + n_items) / (1 + films with it)) + 1``, scaled to unit length ``t_i`` (Lops, de
    Gemmis and Semeraro 2011). ``score_i = p't_i / |p| + popularity_weight *
    popularity_i`` with the profile ``p = sum w_j t_j``. The inverted matrix is stored too: for a
    narrow profile a request walks only its columns.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    genre_weight
        Weight of genres against terms, 0 to 100.
    popularity_weight
        0 to 100.
    """

    name = "content"
    settings_class = ContentSettings
    settings: ContentSettings
    _films: sparse.csr_matrix
    _terms: sparse.csr_matrix

    @property
    def n_items(self) -> int:
        return len(self.arrays_["popularity"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        films = tf_idf_rows(interactions.features, self.settings.genre_weight)
        return {
            **pack_csr("films", films),
            **pack_csr("terms", sparse.csr_matrix(films.T)),
            "popularity": popularity(interactions.ratings, interactions.weights),
        }

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._films = unpack_csr("films", self.arrays_)
        self._terms = unpack_csr("terms", self.arrays_)

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        prior = np.float32(self.settings.popularity_weight) * self.arrays_["popularity"]
        return np.asarray(prior + self._alike(self._profile(entries, weights)), dtype=np.float32)

    def _alike(self, profile: Float32) -> Float32:
        """``p't_i`` of all films, by whichever of the two layouts has less to read."""
        # numpy finds what is not 0 among floats several times as slowly as among booleans.
        columns = np.flatnonzero(profile != 0)
        if _SCATTER_COST * count_entries(self._terms, columns) > self._films.nnz:
            return np.asarray(self._films @ profile, dtype=np.float32)
        return sum_rows(self._terms, columns, profile[columns])

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        length = profile_length(sum_rows(self._films, entries, weights))
        columns = stored_columns(self._films, items)
        alike = dense_block(self._films, items, columns) @ dense_block(self._films, entries, columns).T
        return np.asarray(alike * (weights / length), dtype=np.float64)

    def _profile(self, entries: Int64, weights: Float32) -> Float32:
        profile = sum_rows(self._films, entries, weights)
        return profile / profile_length(profile)


def tf_idf_rows(features: ItemFeatures, genre_weight: float) -> sparse.csr_matrix:
    """Unit rows of terms and genres, CSR ``(n_items, n_terms + n_genres)``; a bare film's is empty."""
    genres = features.genres.astype(np.float32) * np.float32(genre_weight)
    rows = sparse.csr_matrix(sparse.hstack([features.terms, genres], format="csr"), dtype=np.float32)
    rows.eliminate_zeros()
    films_with = np.bincount(rows.indices, minlength=rows.shape[1])
    rows = rows @ sparse.diags(np.log((1.0 + rows.shape[0]) / (1.0 + films_with)) + 1.0)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1.0 / np.maximum(lengths, 1e-12)) @ rows, dtype=np.float32)
