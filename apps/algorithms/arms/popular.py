"""The same films for everybody, best known or best rated first."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.learned import LearnedArm
from apps.algorithms.arms.parameters import Settings, choice, optional_real, real
from apps.algorithms.popularity import bayesian_means, best_known
from apps.algorithms.types import Arrays, Float32, Float64, History, Int64, Interactions
from apps.algorithms.weights import SIGNALS

_DAY = 86_400.0


@dataclass(frozen=True)
class PopularSettings(Settings):
    by: str = choice("count", options=("count", "mean"))
    signal: str = choice("liked", options=SIGNALS)
    prior_weight: float = real(5.0, low=0.01, high=10_000)
    half_life_days: float | None = optional_real(None, low=1, high=100_000)


class Popular(LearnedArm):
    """Popularity.

    ``by="count"``: ``log(1 + sum of weights * 0.5 ** (age / half_life_days))``, films with equal counts in
    the order of their Bayesian means. ``by="mean"``: the Bayesian mean in stars,
    ``(prior_weight * mean + sum) / (prior_weight + count)``.

    Parameters
    ----------
    by
        ``count`` or ``mean``.
    signal
        What a rating counts, see ``apps.algorithms.weights``.
    prior_weight
        Ratings at the overall mean that every film is given beforehand, 0.01 to 10,000.
    half_life_days
        Days after which a rating counts half, before the newest there is; 1 to 100,000, or None to count all
        alike. Of counts alone.
    """

    name = "popular"
    personal = False
    settings_class = PopularSettings
    settings: PopularSettings

    @property
    def n_items(self) -> int:
        return len(self.arrays_["scores"])

    def contributions(self, history: History, items: Int64) -> Float64:
        return np.zeros((len(items), len(history)))

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        interactions = interactions.counted
        settings, ratings = self.settings, interactions.ratings
        if settings.by == "mean":
            scores = bayesian_means(ratings, settings.prior_weight, interactions.weights)
        else:
            decay = _decay(interactions, settings.half_life_days)
            scores = best_known(
                ratings,
                settings.signal,
                prior_weight=settings.prior_weight,
                decay=decay,
                weights=interactions.weights,
            )
        return {"scores": scores.astype(np.float32)}

    def _score(self, history: History) -> Float32:
        scores: Float32 = self.arrays_["scores"]
        return scores


def _decay(interactions: Interactions, half_life_days: float | None) -> Float64 | None:
    """What each rating still counts, aligned with ``ratings.data``; None where all count alike."""
    if half_life_days is None or len(interactions.rated_at) == 0:
        return None
    age_days = (interactions.rated_at.max() - interactions.rated_at) / _DAY
    return np.asarray(np.exp2(-age_days / half_life_days))
