"""What some people's other histories make of the ``sequence`` arm's weights, without solving it anew."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.arms.film_weights import FilmWeights, Patch
from apps.algorithms.arms.following import Entries, read_entries
from apps.algorithms.deltas import Delta
from apps.algorithms.types import Float32, Float64, Int64
from apps.algorithms.weights import interaction_matrix

MOST_PAIRS = 4_000_000
"""Of entries of the histories that changed: with more, solving anew takes no longer."""
MOST_RANK = 256
"""Of what may move in the sums of the model."""
_SPARE = 10
_NOTHING = 1e-9


@dataclass(frozen=True)
class Moved:
    """``following`` and ``system`` are sparse ``(n_films, n_films)``: what was added to C and to A."""

    following: sparse.csr_matrix
    system: sparse.csr_matrix


@dataclass(frozen=True)
class Inverse:
    """``P = base - left right'``, float32: ``base`` ``(n_films, n_films)`` stays as a fit left it."""

    base: Float32
    left: Float32
    right: Float32

    def times(self, block: Float32) -> Float32:
        """``P`` times ``(n_films, n)``."""
        found: Float32 = self.base @ block - self.left @ (self.right.T @ block)
        return found

    def columns(self, films: Int64) -> Float32:
        # P reads the same transposed.
        found: Float32 = self.base[films].T - self.left @ self.right[films].T
        return found

    def less(self, left: Float32, right: Float32) -> "Inverse":
        return Inverse(self.base, np.hstack([self.left, left]), np.hstack([self.right, right]))

    def solid(self) -> Float32:
        found: Float32 = self.base - self.left @ self.right.T
        return found


def moved(
    delta: Delta, place: Int64, *, signal: str, reach: float, together: float, longest: int
) -> Moved | None:
    """What the histories that changed add to the sums of the model; None where they are too long to pair.

    ``place`` int64 ``(before.n_items,)`` is each film's row of the model, -1 for one outside.
    """
    films = np.flatnonzero(place >= 0)
    parts = []
    for interactions, rows, own, sign in (
        (delta.before, delta.people[:, 0], films, -1.0),
        (delta.after, delta.people[:, 1], delta.columns[films], 1.0),
    ):
        told = interactions.of_people(rows[rows >= 0])
        entries = read_entries(told, own, signal, longest=longest)
        if _n_pairs(entries) > MOST_PAIRS:
            return None
        rated = interaction_matrix(told, signal)[:, own].astype(np.float64)
        parts.append((sign, _pairs(entries, len(films), reach), rated))
    shape = (len(films), len(films))
    following, both = sparse.csr_matrix(shape), sparse.csr_matrix(shape)
    squares = np.zeros(len(films))
    for sign, pairs, rated in parts:
        following = following + sign * pairs
        both = both + sign * together * (rated.T @ rated)
        squares += sign * np.bincount(rated.indices, rated.data**2, len(films))
    system = following + following.T + both + sparse.diags(squares)
    return Moved(_clean(following + both), _clean(system))


@dataclass(frozen=True)
class Factors:
    """``dA = basis inner basis'`` and ``dC = ahead after'``.

    float32 ``(n_films, r)``, float64 ``(r, r)``, and float32 twice ``(n_films, s)``.
    """

    basis: Float32
    inner: Float64
    ahead: Float32
    after: Float32


def factors_of(found: Moved, rng: np.random.Generator) -> Factors | None:
    """What moved, as products of few columns; None where there are more than ``MOST_RANK``.

    A rating that comes last adds a row and a column; one that goes, or moves, also makes everything before it
    nearer to everything after it, which is a product of two columns.
    """
    basis, ahead = _range_of(found.system, rng), _range_of(found.following, rng)
    if basis is None or ahead is None:
        return None
    inner = basis.T @ (found.system @ basis)
    after = found.following.T @ ahead
    return Factors(
        basis.astype(np.float32), (inner + inner.T) / 2, ahead.astype(np.float32), after.astype(np.float32)
    )


def updated_weights(
    weights: FilmWeights, inverse: Inverse, factors: Factors, films: Int64
) -> tuple[Patch, Inverse]:
    """The weights and P after ``A' = A + dA`` and ``C' = C + dC``.

    With ``dA = Q H Q'`` and ``dC = U V'``: ``P' = P - R Q'P`` with ``R = P Q (I + H Q'P Q)^-1 H`` (Woodbury),
    and ``B' = P'(C' - diag(g')) = B - R Q'B + P'U V' - P'E diag(dg) E'``. ``g`` is moved for ``films`` alone,
    those of which a rating changed, so that they do not tell themselves; of the others what it would move is
    of second order. Costs the products of ``P`` and of ``B`` with so many columns.
    """
    basis, ahead = factors.basis, factors.ahead
    reached = inverse.times(basis)
    crossing = (basis.T @ reached).astype(np.float64)
    system = np.eye(len(crossing)) + factors.inner @ crossing
    solved = (reached.astype(np.float64) @ np.linalg.solve(system, factors.inner)).astype(np.float32)
    after = inverse.less(solved, reached)

    units, told = after.columns(films), after.times(ahead)
    left = np.hstack([-solved, told])
    right = np.hstack([weights.product(basis).T, factors.after])
    own = weights.own(films) + np.einsum("ij,ij->i", left[films], right[films])
    spots = np.arange(len(films))
    unit = np.zeros((len(basis), len(films)), dtype=np.float32)
    unit[films, spots] = 1.0
    left = np.hstack([left, -units * (own / units[films, spots])])
    return weights.spread(left, np.hstack([right, unit])), after


def _range_of(matrix: sparse.csr_matrix, rng: np.random.Generator) -> Float64 | None:
    """An orthonormal basis of the columns' span, ``(n, rank)``; None above ``MOST_RANK``.

    By random directions (Halko, Martinsson and Tropp 2011, algorithm 4.1), exact where they are more than the
    rank.
    """
    rows, columns = np.unique(matrix.nonzero()[0]), np.unique(matrix.nonzero()[1])
    width = min(MOST_RANK + _SPARE, len(rows), len(columns))
    part = matrix[rows][:, columns]
    basis, values, _ = np.linalg.svd(part @ rng.standard_normal((len(columns), width)), full_matrices=False)
    kept = int(np.count_nonzero(values > _NOTHING * values.max(initial=0.0)))
    if kept > MOST_RANK:
        return None
    found = np.zeros((matrix.shape[0], kept))
    found[rows] = basis[:, :kept]
    return found


def _counts(entries: Entries) -> Int64:
    firsts = np.flatnonzero(entries.nth == 0)
    return np.diff(np.append(firsts, len(entries.nth)))


def _n_pairs(entries: Entries) -> int:
    counts = _counts(entries)
    return int((counts * (counts - 1) // 2).sum())


def _pairs(entries: Entries, n_films: int, reach: float) -> sparse.csr_matrix:
    """``sum_following``, sparse: for a few histories."""
    later = np.repeat(np.arange(len(entries.nth)), entries.nth)
    ends = np.cumsum(entries.nth)
    earlier = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - entries.nth, entries.nth)
    earlier += np.repeat(np.arange(len(entries.nth)) - entries.nth, entries.nth)
    age = entries.places[later] - entries.places[earlier]
    values = entries.weights[earlier] * entries.weights[later] * np.exp2(-age / reach)
    cells = (entries.spots[earlier], entries.spots[later])
    return sparse.csr_matrix((values, cells), shape=(n_films, n_films))


def _clean(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    found = sparse.csr_matrix(matrix)
    found.data[np.abs(found.data) < _NOTHING] = 0.0
    found.eliminate_zeros()
    return found
