"""Good films that few have seen, in the order of the viewer's taste."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.blended import BlendedArm
from apps.algorithms.arms.parameters import Settings, real
from apps.algorithms.arms.rotation import freshness
from apps.algorithms.popularity import best_known, signal_counts
from apps.algorithms.types import Arrays, Float32, History, Interactions

_PRIOR_WEIGHT = 5.0
"""Ratings at the overall mean that a film is given beforehand, where films are rated equally often."""


@dataclass(frozen=True)
class LongTailSettings(Settings):
    weight_item_cf: float = real(1.0, low=0.01, high=100.0)
    weight_embeddings: float = real(0.5, low=0.0, high=100.0)
    gem_boost: float = real(50.0, low=0.0, high=1_000)
    niche_boost: float = real(0.5, low=0.0, high=1_000)
    damping: float = real(0.2, low=0.0, high=100.0)
    rotation: float = real(1.0, low=0.0, high=100.0)


class LongTail(BlendedArm):
    """What two arms think of a film, with a lift for the long tail.

    ``score_i = weight_item_cf z(item_cf)_i + weight_embeddings z(embeddings)_i + gem_boost [long tail]_i
    + niche_boost [niche]_i - damping log2(1 + n_i) + rotation fresh_i`` with ``n_i`` ratings of the film
    and ``fresh_i`` up to 1, for a film not shown lately (``freshness``). Long tail and niche are the
    catalogue's flags. Popularity is damped by its logarithm, as self-information weighs it (Zhou et al.,
    PNAS 2010). The second arm knows films that nobody rated. A viewer of whom neither knows anything is
    served the long tail too, the most rated films of it first, and then all others likewise.

    Parameters
    ----------
    weight_item_cf, weight_embeddings
        Of standardised scores, up to 100; the first at least 0.01.
    gem_boost, niche_boost
        0 to 1,000, in standard deviations.
    damping
        Per doubling of the ratings, 0 to 100.
    rotation
        At most so much for a film that was not shown lately, 0 to 100.
    """

    name = "long_tail"
    settings_class = LongTailSettings
    settings: LongTailSettings
    _for_nobody: Float32

    @property
    def blend(self) -> Mapping[str, float]:
        settings = self.settings
        weights = {"item_cf": settings.weight_item_cf, "embeddings": settings.weight_embeddings}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        settings, features = self.settings, interactions.features
        ratings, weights = interactions.ratings, interactions.weights
        lift = (
            settings.gem_boost * features.is_long_tail
            + settings.niche_boost * features.is_niche
            - settings.damping * np.log2(1.0 + signal_counts(ratings, "all", weights))
            + settings.rotation * freshness(features.n_shown)
        )
        known = best_known(ratings, "all", prior_weight=_PRIOR_WEIGHT, weights=weights)
        for_nobody = known + features.is_long_tail * (1.0 + known.max(initial=0.0))
        return {"lift": lift.astype(np.float32), "for_nobody": for_nobody.astype(np.float32)}

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._for_nobody = self.arrays_["for_nobody"]

    def _adjusted(self, blend: Float32, history: History) -> Float32:
        blend += self.arrays_["lift"]
        return blend

    def _of_nobody(self, history: History) -> Float32:
        return self._for_nobody
