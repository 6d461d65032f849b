"""Whether what is counted now is spread as what was counted before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import chdtri

DRIFTED = 0.2
"""A PSI above it is drift; from .1 on one looks (Siddiqi, Credit Risk Scorecards, 2006)."""
BY_CHANCE = 0.001
"""How often chance alone exceeds ``Stability.by_chance``."""
CORRELATION = 0.2
"""Taken to hold between two acts of a person; on MovieLens it is .08 of stars and .14 of films' decades."""
EMPTY = 0.5
"""What an empty bin counts as, in units."""
_LEAST = 1e-9

StabilityStatus = Literal["ok", "too_few", "insufficient_data", "different_bins"]


@dataclass(frozen=True)
class Stability:
    """How far two histograms are apart.

    psi
        At least 0, 0 for equal shares; None where nothing can be said.
    on_nothing, by_chance
        What two samples of this size give on average where nothing changed, and what they then exceed once in
        ``1 / BY_CHANCE`` times; None with ``psi``.
    n_expected, n_actual
        Independent units on either side: what was counted over its design effect.
    status
        ``ok``; ``too_few`` where ``by_chance`` is above the limit, so that a ``psi`` above it may be chance;
        ``insufficient_data`` where a side counts nothing; ``different_bins``.
    """

    psi: float | None
    on_nothing: float | None
    by_chance: float | None
    n_expected: float
    n_actual: float
    status: StabilityStatus

    @property
    def excess(self) -> float | None:
        """What ``psi`` is above ``on_nothing``, at least 0: the index less its bias of small samples."""
        if self.psi is None or self.on_nothing is None:
            return None
        return max(self.psi - self.on_nothing, 0.0)


def psi(
    expected: Sequence[float],
    actual: Sequence[float],
    *,
    expected_effect: float = 1.0,
    actual_effect: float = 1.0,
    limit: float = DRIFTED,
) -> Stability:
    """Population stability index ``sum (a - e) ln(a / e)`` over the shares of bins, which is Jeffreys'
    divergence (Lewis, An Introduction to Credit Scoring, 1992).

    ``expected`` and ``actual`` count by bin, bin by bin the same. A bin that is empty on one side alone
    counts as ``EMPTY`` units there; one that is empty on both is left out. On nothing the index is about
    ``(1/n + 1/m)`` times a chi-square of one degree less than there are bins (Yurdakul and Naranjo, Journal
    of Risk Model Validation 14, 2020), and so ``(bins - 1)(1/n + 1/m)`` on average. Effects are design
    effects: by how much fewer independent units there are than are counted. Raises ``ValueError`` for counts
    below 0, infinite ones and effects below 1.
    """
    _require_counts(expected, actual)
    if not (1 <= expected_effect < math.inf and 1 <= actual_effect < math.inf):
        raise ValueError(f"design effects must be at least 1, not {expected_effect:g} and {actual_effect:g}")
    n_expected, n_actual = sum(expected) / expected_effect, sum(actual) / actual_effect
    if len(expected) != len(actual):
        return Stability(None, None, None, n_expected, n_actual, "different_bins")
    if min(n_expected, n_actual) < _LEAST:
        return Stability(None, None, None, n_expected, n_actual, "insufficient_data")
    used = [pair for pair in zip(expected, actual, strict=True) if any(pair)]
    found = _divergence(*(_shares(side) for side in zip(*used, strict=True)))
    noise, degrees = 1 / n_expected + 1 / n_actual, len(used) - 1
    by_chance = noise * float(chdtri(degrees, BY_CHANCE)) if degrees else 0.0
    status: StabilityStatus = "too_few" if by_chance > limit else "ok"
    return Stability(found, degrees * noise, by_chance, n_expected, n_actual, status)


def design_effect(n: float, sum_squares: float, correlation: float = CORRELATION) -> float:
    """By how much ``n`` acts of people count for fewer, ``sum_squares`` being that of the acts a person.

    ``1 + (sum_squares / n - 1) correlation`` (Kish, Survey Sampling, 1965), at least 1; 1 of no acts.
    """
    return max(1.0, 1 + (sum_squares / n - 1) * correlation) if n > 0 else 1.0


def _require_counts(*sides: Sequence[float]) -> None:
    for side in sides:
        wrong = [count for count in side if not 0 <= count < math.inf]
        if wrong:
            raise ValueError(f"a bin must count at least 0, not {wrong[0]:g}")


def _shares(counts: Sequence[float]) -> list[float]:
    filled = [count if count > 0 else EMPTY for count in counts]
    total = sum(filled)
    return [count / total for count in filled]


def _divergence(expected: Sequence[float], actual: Sequence[float]) -> float:
    terms = ((a - e) * math.log(a / e) for e, a in zip(expected, actual, strict=True))
    # Each is at least 0; rounding may leave less of equal shares.
    return max(math.fsum(terms), 0.0)
