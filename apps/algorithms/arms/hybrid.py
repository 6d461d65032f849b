"""A weighted blend of other arms' standardised scores."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from apps.algorithms.arms.composed import ComposedArm
from apps.algorithms.arms.parameters import Settings, real
from apps.algorithms.base import Folded, InvalidParameter
from apps.algorithms.types import Arrays, Float32, Float64, History, Int64, Interactions

_PREFIX = "weight_"
_COLD = "popular"
"""Serves viewers of whom no part knows anything."""
_FLAT = 1e-6
"""A row that varies less than this holds rounding errors, which standardising would blow up."""


@dataclass(frozen=True)
class HybridSettings(Settings):
    weight_svd: float = real(0.2, low=0.0, high=100.0)
    weight_als: float = real(0.0, low=0.0, high=100.0)
    weight_item_cf: float = real(1.0, low=0.0, high=100.0)
    weight_content: float = real(0.2, low=0.0, high=100.0)
    weight_genre: float = real(0.0, low=0.0, high=100.0)

    def weights(self) -> Mapping[str, float]:
        """The weight of each part that has one, by the arm's name."""
        named = {field.removeprefix(_PREFIX): weight for field, weight in asdict(self).items()}
        return {name: weight for name, weight in named.items() if weight > 0}


class Hybrid(ComposedArm):
    """``score_i = sum over arms a of weight_a * z(s_a)_i``, ``z`` over the viewer's own row.

    Standardising each arm's scores before a linear combination follows Montague and Aslam
    2001 ("ZMUV"). A part that knows nothing of the viewer adds nothing; when no part does, popularity
    serves.

    Parameters
    ----------
    weight_svd, weight_als, weight_item_cf, weight_content, weight_genre
        0 to 100 each; an arm of weight 0 is neither fitted nor asked.
    """

    name = "hybrid"
    settings_class = HybridSettings
    settings: HybridSettings

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        super().__init__(**parameters)
        self._weights = self.settings.weights()
        if not self._weights:
            raise InvalidParameter("hybrid: at least one weight must be above 0.")

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self._weights, _COLD)

    @property
    def n_items(self) -> int:
        return int(self.parts[_COLD].scores([]).shape[1])

    def contributions(self, history: History, items: Int64) -> Float64:
        return self.fold(history).contributions(items)

    def fold(self, history: History) -> Folded:
        """Each part is folded in once, for the blend and for what the history added to it."""
        parts = self.parts
        folds: list[tuple[float, Folded]] = []
        terms: list[Float32] = []
        for name, weight in self._weights.items():
            folded = parts[name].fold(history)
            centred, scale = _centre(folded.scores)
            if scale:
                centred *= np.float32(weight * scale)
                terms.append(centred)
                folds.append((weight * scale, folded))
        blend = _total(terms) if terms else parts[_COLD].fold(history).scores
        return Folded(blend, lambda items: _blended(folds, history, items))

    def _score(self, history: History) -> Float32:
        return self.fold(history).scores

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        """Nothing: the weights are parameters, and the parts are saved by themselves."""
        return {}


def _centre(scores: Float32) -> tuple[Float32, float]:
    """The scores less their mean, and one over their deviation; 0 for a flat row."""
    if len(scores) == 0:
        return scores, 0.0
    # The method of arrays checks more than it adds.
    centred: Float32 = scores - np.add.reduce(scores) / np.float32(len(scores))
    spread = float(np.sqrt(centred @ centred / len(scores)))
    return centred, 0.0 if spread <= _FLAT else 1.0 / spread


def _total(terms: Sequence[Float32]) -> Float32:
    """Their sum, in the first of them."""
    for term in terms[1:]:
        np.add(terms[0], term, out=terms[0])
    return terms[0]


def _blended(folds: Sequence[tuple[float, Folded]], history: History, items: Int64) -> Float64:
    total = np.zeros((len(items), len(history)))
    for scale, folded in folds:
        total += scale * folded.contributions(items)
    return total
