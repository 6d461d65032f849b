"""Films unlike those that the viewer liked, which they should like all the same."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.arms.blended import BlendedArm
from apps.algorithms.arms.content import tf_idf_rows
from apps.algorithms.arms.parameters import Settings, real, whole
from apps.algorithms.arms.rotation import freshness
from apps.algorithms.matrices import pack_csr, unit_rows, unpack_csr
from apps.algorithms.popularity import signal_counts
from apps.algorithms.top import top_items
from apps.algorithms.types import LIKED_FROM, Arrays, Bool, Float32, History, Int64, Interactions
from apps.algorithms.unexpected import closeness_of, is_unexpected

_MOST_LIKED = 100
"""Of more films that a viewer liked the newest are compared with."""


@dataclass(frozen=True)
class SerendipitySettings(Settings):
    weight_item_cf: float = real(1.0, low=0.0, high=100.0)
    weight_svd: float = real(0.5, low=0.01, high=100.0)
    candidates: int = whole(500, low=10, high=10_000)
    distance: float = real(8.0, low=0.0, high=100.0)
    damping: float = real(0.1, low=0.0, high=100.0)
    rotation: float = real(3.0, low=0.0, high=100.0)


class Serendipity(BlendedArm):
    """The best predicted films among those unlike what the viewer liked.

    ``score_i = weight_item_cf z(item_cf)_i + weight_svd z(svd)_i - damping log2(1 + n_i) + rotation
    fresh_i``, with ``n_i`` ratings of the film and ``fresh_i`` from 0 to 1 (``freshness``). Of the
    ``candidates`` best films by it each loses ``distance`` deviations of these scores times its cosine to the
    nearest film that the viewer liked, half by who watched them (the factors of svd) and half by terms and
    genres (TF-IDF). Those come first that are unexpected by terms and genres (``is_unexpected``), in the
    sense of Adamopoulos and Tuzhilin, "On Unexpectedness in Recommender Systems" (TIST 2014): far from the
    nearest film of the viewer's. Whoever liked fewer than two films has no such measure.

    Parameters
    ----------
    weight_item_cf, weight_svd
        Of standardised scores, up to 100; the second at least 0.01.
    candidates
        Films that are looked at, 10 to 10,000.
    distance
        What likeness to a liked film costs, 0 to 100.
    damping
        Per doubling of the ratings, 0 to 100.
    rotation
        At most so much for a film that was not shown lately, 0 to 100.
    """

    name = "serendipity"
    settings_class = SerendipitySettings
    settings: SerendipitySettings
    _films: sparse.csr_matrix

    @property
    def blend(self) -> Mapping[str, float]:
        weights = {"item_cf": self.settings.weight_item_cf, "svd": self.settings.weight_svd}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        counts = signal_counts(interactions.ratings, "all", interactions.weights)
        damped = self.settings.damping * np.log2(1.0 + counts)
        lift = self.settings.rotation * freshness(interactions.features.n_shown) - damped
        films = tf_idf_rows(interactions.features, genre_weight=1.0)
        directions = unit_rows(np.asarray(self.parts["svd"].arrays()["factors"], dtype=np.float32))
        return {"lift": lift.astype(np.float32), "directions": directions, **pack_csr("films", films)}

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._films = unpack_csr("films", self.arrays_)

    def unexpected(self, history: History, items: Int64) -> Bool:
        return is_unexpected(self._films, items, _liked(history))

    def _adjusted(self, blend: Float32, history: History) -> Float32:
        blend += self.arrays_["lift"]
        liked = _liked(history)
        open_to_choice = blend.copy()
        open_to_choice[history.items] = -np.inf
        candidates = top_items(open_to_choice, self.settings.candidates)
        if len(liked) < 2 or len(candidates) == 0:
            return blend
        closeness, usual = closeness_of(self._films, candidates, liked)
        near = (closeness + self._shared_public(candidates, liked)) / 2
        blend[candidates] -= np.float32(self.settings.distance) * blend[candidates].std() * near
        # Above all others, in their own order.
        blend[candidates[closeness < usual]] += blend.max() - blend.min() + 1
        return blend

    def _shared_public(self, films: Int64, liked: Int64) -> Float32:
        """The cosine of each film to the nearest liked one by who watched them."""
        directions = self.arrays_["directions"]
        nearest: Float32 = (directions[films] @ directions[liked].T).max(axis=1)
        return nearest


def _liked(history: History) -> Int64:
    """What films are compared with, oldest first."""
    return history.items[history.values >= LIKED_FROM][-_MOST_LIKED:]
