"""What a recipe learns from: the group ``data`` of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.algorithms.arms.parameters import Settings, flag, read_settings, real


@dataclass(frozen=True)
class DataParameters(Settings):
    """By default explicit ratings alone, each of weight 1.

    thumbs, favorites, watchlist, clicks
        What one of these weighs beside a rating's 1; at 0 the source is not read. An explicit rating of the
        same person and film counts in its place.
    inverse_propensity
        Whether what came from a list weighs by one over the probability with which its arm got the slot.
    propensity_cap
        The most that one row weighs so, before the weights are brought to a mean of 1.
    shuffled
        A drill: each person's ratings go to films drawn at random, the same for the same seed. Such a recipe
        must fail every gate.
    """

    thumbs: float = real(0.0, low=0.0, high=10.0)
    favorites: float = real(0.0, low=0.0, high=10.0)
    watchlist: float = real(0.0, low=0.0, high=10.0)
    clicks: float = real(0.0, low=0.0, high=10.0)
    inverse_propensity: bool = flag(False)
    propensity_cap: float = real(10.0, low=1.0, high=1_000.0)
    shuffled: bool = flag(False)

    @property
    def is_of_ratings_alone(self) -> bool:
        """Whether nothing but a rating itself changes what it counts."""
        return not (self.thumbs or self.favorites or self.watchlist or self.clicks or self.inverse_propensity)


EXPLICIT_RATINGS = DataParameters()
"""The defaults."""


def read_data(parameters: Mapping[str, Any]) -> DataParameters:
    """Raises ``InvalidParameter`` naming what is wrong and what would be right."""
    return read_settings(DataParameters, "data", parameters)
