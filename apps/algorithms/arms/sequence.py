"""What people watched next: a linear model of films that followed one another."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from apps.algorithms.arms.ease import inverse_of
from apps.algorithms.arms.film_weights import FilmWeights, pack_patch, pack_weights
from apps.algorithms.arms.following import read_entries, sum_following
from apps.algorithms.arms.learned import PersonalArm
from apps.algorithms.arms.parameters import PersonalSettings, choice, optional_real, real, whole
from apps.algorithms.arms.sequence_updates import Inverse, factors_of, moved, updated_weights
from apps.algorithms.deltas import Delta
from apps.algorithms.matrices import product_blocks, row_blocks
from apps.algorithms.types import Arrays, Float32, Float64, Int64, Interactions
from apps.algorithms.weights import SIGNALS, interaction_matrix

KEPT_RANK = 256
"""Of what updates add to the weights, and to P, beside what a fit left: with more the arm is loose."""
MAX_RANK = 768
"""With more an update compacts it itself, however long that takes."""
_PATCH = {"left": 0.0, "right": 0.0, "scales": 1.0}
_LONGEST = 1_000
"""Of a longer history the newest entries count: its pairs would outnumber those of all others."""


@dataclass(frozen=True)
class SequenceSettings(PersonalSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    reach: float = real(20.0, low=1.0, high=1_000)
    together: float = real(0.3, low=0.0, high=100)
    l2: float = real(150.0, low=0.1, high=1_000_000)
    min_ratings: int = whole(4, low=1, high=1_000)
    max_items: int = whole(5_000, low=1, high=20_000)


class Sequence(PersonalArm):
    """After SLIST (Choi et al., "Session-aware Linear Item-Item Models", WWW 2021): ``scores = x B``.

    Of two entries of a history the earlier is to tell the later, weighing half for each ``reach`` entries
    between them; beside that, weighing ``together``, all films of a history are to tell each other, as in
    EASE. Where SLIST sums over the moments between two films, each pair counts here once. Over pairs of
    entries ``a`` before ``b``, with ``k = 0.5 ** ((b - a) / reach)``:

    ``C = sum w_a w_b k e_a e_b' + together X'X``, ``A = sum w_a w_b k (e_a e_b' + e_b e_a') + sum w_a^2
    e_a e_a' + together X'X``, and ``B = P C - P diag(g)`` with ``P = (A + l2 I)^-1`` and ``g`` such that
    no film tells itself, ``g_j = (P C)_jj / P_jj`` (Steck 2019 has the same constraint).

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    reach
        Entries of a history after which a film tells half as much of the next, 1 to 1,000.
    together
        Weight of the model without order, 0 to 100.
    l2
        Regularisation, 0.1 to 1,000,000.
    min_ratings
        Ratings of weight that a film needs to take part, 1 to 1,000; others score 0.
    max_items
        Of more films the most rated take part, 1 to 20,000. A fit takes some ``24 * max_items ** 2`` bytes
        beside what the ratings take, and time with the third power.
    """

    name = "sequence"
    settings_class = SequenceSettings
    settings: SequenceSettings
    _weights: FilmWeights

    @property
    def n_items(self) -> int:
        return len(self.arrays_["place"])

    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        films = self._taking_part(interactions)
        weights, inverse = self._solve(interactions, films)
        nothing = np.zeros((len(films), 0), dtype=np.float32)
        return {
            **pack_weights(weights, films, interactions.n_items),
            **_pack_inverse(Inverse(inverse, nothing, nothing)),
        }

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        """Films that had too few ratings, or fall below, wait for the next fit, as do those that came."""
        arrays, settings = self.arrays_, self.settings
        place = arrays["place"]
        if "inverse" not in arrays or np.any(place[delta.columns < 0] >= 0) or not np.any(place >= 0):
            return self._learn(delta.after, rng)
        found = moved(
            delta,
            place,
            signal=settings.signal,
            reach=settings.reach,
            together=settings.together,
            longest=_LONGEST,
        )
        carried = delta.carried(place, -1)
        factors = None if found is None else factors_of(found, rng)
        if factors is None:
            return self._learn(delta.after, rng)
        parts = {name: delta.carried(arrays[name], fill) for name, fill in _PATCH.items() if name in arrays}
        weights = FilmWeights({"weights": arrays["weights"], "place": carried, **parts})
        inverse = _unpack_inverse(arrays)
        rated = carried[delta.rated]
        patch, after = updated_weights(weights, inverse, factors, np.sort(rated[rated >= 0]))
        beside = {**pack_patch(patch), **_pack_inverse(after)}
        updated = {"place": carried, "weights": arrays["weights"], **beside}
        return _compact(updated) if _is_wider(updated, MAX_RANK) else updated

    @property
    def is_loose(self) -> bool:
        return _is_wider(self.arrays_, KEPT_RANK)

    def compacted(self) -> Self:
        arrays = self.arrays_
        return self.from_arrays(self.parameters, _compact(arrays)) if self.is_loose else self

    def _taking_part(self, interactions: Interactions) -> Int64:
        """The films that the model is about, ascending; of films rated alike the first."""
        matrix = interaction_matrix(interactions, self.settings.signal)
        counts = np.bincount(matrix.indices, minlength=interactions.n_items)
        enough = np.flatnonzero(counts >= self.settings.min_ratings)
        most = np.argsort(-counts[enough], kind="stable")[: self.settings.max_items]
        return np.sort(enough[most])

    def _solve(self, interactions: Interactions, films: Int64) -> tuple[Float32, Float32]:
        """The weights, and P."""
        settings = self.settings
        following = sum_following(
            read_entries(interactions, films, settings.signal, longest=_LONGEST), len(films), settings.reach
        )
        if not following.size:
            return following.astype(np.float32), following.astype(np.float32)
        rated = interaction_matrix(interactions, settings.signal)[:, films].astype(np.float64)
        system = following + following.T
        for rows, gram in product_blocks(sparse.csr_matrix(rated.T), rated):
            gram *= settings.together
            system[rows] += gram
            following[rows] += gram
        squares = np.bincount(rated.indices, rated.data**2, len(films))
        system.flat[:: len(system) + 1] += squares + settings.l2
        inverse = inverse_of(system)
        return _told_by_others(inverse, following), inverse.astype(np.float32)

    def _adopt(self, arrays: Arrays) -> None:
        super()._adopt(arrays)
        self._weights = FilmWeights(self.arrays_)

    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        return self._weights.scores(entries, weights)

    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        return self._weights.shares(entries, weights, items)


def _told_by_others(inverse: Float64, following: Float64) -> Float32:
    """``P C - P diag(g)``, where no film tells itself; ``inverse`` is P, ``following`` C."""
    # P reads the same transposed, and lies in Fortran order.
    own = np.einsum("ij,ij->j", inverse.T, following) / np.diag(inverse)
    weights = np.empty(inverse.shape, dtype=np.float32)
    for rows in row_blocks(len(weights)):
        told = inverse[rows] @ following
        told -= inverse[rows] * own
        weights[rows] = told
    return weights


def _is_wider(arrays: Arrays, rank: int) -> bool:
    beside = arrays["left"].shape[1] if "left" in arrays else 0
    return max(beside, arrays["inverse_left"].shape[1] if "inverse_left" in arrays else 0) > rank


def _compact(arrays: Arrays) -> Arrays:
    """Weights and P, each as one matrix."""
    inverse = _unpack_inverse(arrays)
    nothing = np.zeros((len(inverse.base), 0), dtype=np.float32)
    return {
        "place": arrays["place"],
        "weights": FilmWeights(arrays).solid(),
        **_pack_inverse(Inverse(inverse.solid(), nothing, nothing)),
    }


def _unpack_inverse(arrays: Arrays) -> Inverse:
    base, left, right = (
        np.asarray(arrays[name], dtype=np.float32) for name in ("inverse", "inverse_left", "inverse_right")
    )
    return Inverse(base, left, right)


def _pack_inverse(inverse: Inverse) -> Arrays:
    """What only updates read: the rest of the model follows from it and the weights."""
    return {"inverse": inverse.base, "inverse_left": inverse.left, "inverse_right": inverse.right}
