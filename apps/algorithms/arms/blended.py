"""What arms share that add up others' standardised scores."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from apps.algorithms.arms.composed import ComposedArm
from apps.algorithms.base import Folded, Folds
from apps.algorithms.types import Float32, Float64, History, Int64

_FLAT = 1e-6
"""A row that varies less than this holds rounding errors, which standardising would blow up."""


class BlendedArm(ComposedArm):
    """``score_i = sum over arms a of weight_a * z(s_a)_i + adjustment_i``, ``z`` over the viewer's own row.

    Standardising each arm's scores before a linear combination follows Montague and Aslam 2001
    ("ZMUV"). A part that knows nothing of the viewer adds nothing.
    """

    @property
    @abstractmethod
    def blend(self) -> Mapping[str, float]:
        """The weight above 0 of each part that is added up, by the arm's name."""

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(self.blend)

    @property
    def n_items(self) -> int:
        return int(next(iter(self.parts.values())).scores([]).shape[1])

    def contributions(self, history: History, items: Int64) -> Float64:
        return self.fold(history).contributions(items)

    def fold(self, history: History) -> Folded:
        """Each part is folded in once, for the blend and for what the history added to it."""
        return self.fold_among(history, {})

    def fold_among(self, history: History, folds: Folds) -> Folded:
        if self not in folds:
            folds[self] = self._blend_of(history, folds)
        return folds[self]

    def _blend_of(self, history: History, folds: Folds) -> Folded:
        added: list[tuple[float, Folded]] = []
        terms: list[Float32] = []
        for name, weight in self.blend.items():
            folded = self.parts[name].fold_among(history, folds)
            centred, scale = _centre(folded.scores)
            if scale:
                centred *= np.float32(weight * scale)
                terms.append(centred)
                added.append((weight * scale, folded))
        scores = self._adjusted(_total(terms), history) if terms else self._of_nobody(history)
        return Folded(scores, lambda items: _blended(added, history, items), is_personal=bool(terms))

    def _adjusted(self, blend: Float32, history: History) -> Float32:
        """The blend, which may be changed in place, with what the arm adds of its own."""
        return blend

    def _of_nobody(self, history: History) -> Float32:
        """The scores of a viewer of whom no part knows anything."""
        return np.zeros(self.n_items, dtype=np.float32)

    def _score(self, history: History) -> Float32:
        return self.fold(history).scores


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


def _blended(added: Sequence[tuple[float, Folded]], history: History, items: Int64) -> Float64:
    total = np.zeros((len(items), len(history)))
    for scale, folded in added:
        total += scale * folded.contributions(items)
    return total
