"""A weighted blend of other arms' standardised scores."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from apps.algorithms.arms.blended import BlendedArm
from apps.algorithms.arms.parameters import Settings, real
from apps.algorithms.base import InvalidParameter
from apps.algorithms.types import Arrays, Float32, History, Interactions

_PREFIX = "weight_"
_COLD = "popular"
"""Serves viewers of whom no part knows anything."""


@dataclass(frozen=True)
class HybridSettings(Settings):
    weight_sequence: float = real(1.0, low=0.0, high=100.0)
    weight_svd: float = real(0.15, low=0.0, high=100.0)
    weight_content: float = real(0.2, low=0.0, high=100.0)
    weight_item_cf: float = real(0.0, low=0.0, high=100.0)
    weight_als: float = real(0.0, low=0.0, high=100.0)
    weight_embeddings: float = real(0.0, low=0.0, high=100.0)
    weight_graph: float = real(0.0, low=0.0, high=100.0)
    weight_genre: float = real(0.0, low=0.0, high=100.0)

    def weights(self) -> Mapping[str, float]:
        """The weight of each part that has one, by the arm's name."""
        named = {field.removeprefix(_PREFIX): weight for field, weight in asdict(self).items()}
        return {name: weight for name, weight in named.items() if weight > 0}


class Hybrid(BlendedArm):
    r"""The weighted sum of standardised scores; when no part knows the viewer, popularity serves.

    Parameters
    ----------
    weight_sequence, weight_svd, weight_content, weight_item_cf, weight_als, weight_embeddings, \
    weight_graph, weight_genre
        0 to 100 each; an arm of weight 0 is neither fitted nor asked.
    """

    name = "hybrid"
    settings_class = HybridSettings
    settings: HybridSettings

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        super().__init__(**parameters)
        self._blend = self.settings.weights()
        if not self._blend:
            raise InvalidParameter("hybrid: at least one weight must be above 0.")

    @property
    def blend(self) -> Mapping[str, float]:
        return self._blend

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self._blend, _COLD)

    def _of_nobody(self, history: History) -> Float32:
        return self.parts[_COLD].fold(history).scores

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        """Nothing: the weights are parameters, and the parts are saved by themselves."""
        return {}
