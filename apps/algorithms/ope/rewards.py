"""A model of the rewards: what an arm's film earns in a context and a slot.

``rate(slot) * lift(context, arm)``, as slots are looked at whatever fills them (the examination hypothesis).
Lifts are shrunk, a cell's to its arm's and an arm's to 1, as the mean of a gamma prior worth
``PRIOR_SUCCESSES`` expected successes would be. An arm's lift is one over all contexts: its films count by
one over their propensities, since a policy shows an arm mostly where it is good.
"""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.ope.rows import Log
from apps.algorithms.types import Float64, Int64

PRIOR_SUCCESSES = 5.0
_PRIOR_FILMS = 50.0


@dataclass(frozen=True)
class Cells:
    """Sums of a log by group of viewers, float64.

    shown, earned
        Films and their rewards, ``(n_groups, n_contexts, n_arms, n_slots)``.
    even_shown, even_earned
        The same as if each arm had been shown in all contexts alike, ``(n_groups, n_arms, n_slots)``.
    wanted
        What the target would show, of the shape of ``shown``.
    """

    shown: Float64
    earned: Float64
    even_shown: Float64
    even_earned: Float64
    wanted: Float64

    @classmethod
    def of(cls, log: Log, groups: Int64) -> "Cells":
        """``groups`` ``(n,)``, numbered from 0, none empty; at least one film."""
        arms, weights = log.rows.arms, _even_weights(log)
        sizes = (int(groups.max()) + 1, log.n_contexts, len(log.rows.names), log.n_slots)
        cell = np.ravel_multi_index((groups, log.contexts, arms, log.slots), sizes)
        even_sizes = (sizes[0], *sizes[2:])
        even = np.ravel_multi_index((groups, arms, log.slots), even_sizes)
        place_sizes = (*sizes[:2], sizes[3])
        place = np.ravel_multi_index((groups, log.contexts, log.slots), place_sizes)
        return cls(
            shown=_sums(cell, np.ones(len(cell)), sizes),
            earned=_sums(cell, log.rewards, sizes),
            even_shown=_sums(even, weights, even_sizes),
            even_earned=_sums(even, weights * log.rewards, even_sizes),
            wanted=np.stack([_sums(place, column, place_sizes) for column in log.target.T], axis=2),
        )

    @property
    def n_groups(self) -> int:
        return len(self.shown)

    def together(self) -> "Cells":
        """All groups as one."""
        return Cells(*(sums.sum(axis=0)[None] for sums in self._all()))

    def without_each(self) -> "Cells":
        """In the place of each group all the others."""
        return Cells(*(sums.sum(axis=0) - sums for sums in self._all()))

    def _all(self) -> tuple[Float64, ...]:
        return self.shown, self.earned, self.even_shown, self.even_earned, self.wanted


def fit(cells: Cells) -> Float64:
    """The mean reward of each cell by each group's films, of the shape of ``cells.shown``, 0 to 1."""
    films, earned = cells.shown.sum(axis=(1, 2)), cells.earned.sum(axis=(1, 2))
    overall = (earned.sum(axis=1, keepdims=True) + 1) / (films.sum(axis=1, keepdims=True) + 2)
    rate = (earned + _PRIOR_FILMS * overall) / (films + _PRIOR_FILMS)
    by_arm = _lift(cells.even_earned.sum(axis=2), np.einsum("gas,gs->ga", cells.even_shown, rate), 1.0)
    expected = np.einsum("gcas,gs->gca", cells.shown, rate)
    lift = _lift(cells.earned.sum(axis=3), expected, by_arm[:, None])
    return np.asarray(np.minimum(rate[:, None, None] * lift[..., None], 1.0), dtype=np.float64)


def predictions(log: Log, groups: Int64) -> Float64:
    """What each arm would earn in the place of each film, ``(n, n_arms)``, by the other groups' films.

    No film helps to predict itself or those of its viewer, which is what keeps ``dr`` right on average
    (cross-fitting: Chernozhukov et al., Econometrics Journal 2018).
    """
    means = fit(Cells.of(log, groups).without_each())
    return np.asarray(means[groups, log.contexts, :, log.slots], dtype=np.float64)


def _lift(found: Float64, expected: Float64, prior: Float64 | float) -> Float64:
    lift = (found + PRIOR_SUCCESSES * prior) / (expected + PRIOR_SUCCESSES)
    return np.asarray(lift, dtype=np.float64)


def _even_weights(log: Log) -> Float64:
    """One over the propensity, scaled so that an arm's weights add up to its effective sample."""
    inverse, n_arms = 1 / log.logged, len(log.rows.names)
    totals = np.bincount(log.rows.arms, weights=inverse, minlength=n_arms)
    squares = np.bincount(log.rows.arms, weights=inverse**2, minlength=n_arms)
    return np.asarray(inverse * (totals / np.maximum(squares, 1.0))[log.rows.arms], dtype=np.float64)


def _sums(spots: Int64, weights: Float64, sizes: tuple[int, ...]) -> Float64:
    sums = np.bincount(spots, weights=weights, minlength=int(np.prod(sizes)))
    return np.asarray(sums.reshape(sizes), dtype=np.float64)
