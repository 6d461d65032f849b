"""A weighted blend of other arms' standardised scores."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from apps.algorithms.arms.learned import ConfiguredArm
from apps.algorithms.arms.parameters import Settings, real
from apps.algorithms.base import Folded, InvalidParameter, NotFittedError, Recommender
from apps.algorithms.types import Arrays, Float32, Float64, History, Int64, Interactions, Parameters

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


class Hybrid(ConfiguredArm):
    """``score_i = sum over arms a of weight_a * z(s_a)_i``, ``z`` over the viewer's own row.

    Standardising each arm's scores before a linear combination follows Montague and Aslam
    2001 ("ZMUV"). The arms are referred to, not owned: ``link`` hands in those that ``needs`` names, so
    an arm that a bundle serves by itself is fitted, stored and loaded once. A part that knows
    nothing of the viewer adds nothing; when no part does, popularity serves.

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
        self._parts: Mapping[str, Recommender] = {}

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self._weights, _COLD)

    def link(self, arms: Mapping[str, Recommender]) -> Self:
        """Blend these arms from now on. Raises ``InvalidParameter`` when one of ``needs`` is missing."""
        missing = [name for name in self.needs if name not in arms]
        if missing:
            raise InvalidParameter(f"hybrid needs {', '.join(missing)} beside it.")
        self._parts = {name: arms[name] for name in self.needs}
        return self

    def fit(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        """Fit the linked parts. Whoever has fitted them already links them and needs no ``fit``."""
        for part, stream in zip(self._linked().values(), rng.spawn(len(self.needs)), strict=True):
            part.fit(interactions, stream)
        return self

    def scores(self, histories: Sequence[History]) -> Float32:
        rows = [self.fold(history).scores for history in histories]
        return np.stack(rows) if rows else self._linked()[_COLD].scores([])

    def contributions(self, history: History, items: Int64) -> Float64:
        return self.fold(history).contributions(items)

    def fold(self, history: History) -> Folded:
        """Each part is folded in once, for the blend and for what the history added to it."""
        parts = self._linked()
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

    def arrays(self) -> Arrays:
        """Nothing: the weights are parameters, and the parts are saved by themselves."""
        self._linked()
        return {}

    @classmethod
    def from_arrays(cls, parameters: Parameters, arrays: Arrays) -> Self:
        """The blend without its parts: ``link`` them before asking for scores."""
        return cls(**parameters)

    def _linked(self) -> Mapping[str, Recommender]:
        if not self._parts:
            raise NotFittedError(
                "hybrid has not been fitted: call fit or from_arrays first, and link its parts."
            )
        return self._parts


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
