"""Mixtures over what the effect could be: how far an estimate may stray from it at any time.

Both are martingales of a Brownian motion, so that with chance ``1 - alpha`` neither ever reaches
``1 / alpha`` (Ville 1939; Robbins, Annals of Mathematical Statistics 1970).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, Self


class Mixture(Protocol):
    def log_e(self, z: float, t: float) -> float:
        """The logarithm of the evidence against 0, of ``t`` units and a ``z`` of either sign."""

    def width(self, t: float, alpha: float) -> float:
        """The least ``z`` whose evidence is ``1 / alpha``: half the interval, in standard errors."""


@dataclass(frozen=True)
class Centred:
    """Effects are normal about 0, with the variance ``rho2``: in standard deviations of one unit."""

    rho2: float

    @classmethod
    def tuned(cls, tuning: float, alpha: float) -> Self:
        """Tightest at ``t = tuning`` (Waudby-Smith et al. 2021, appendix B.2)."""
        return cls((-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / tuning)

    def log_e(self, z: float, t: float) -> float:
        grown = t * self.rho2 + 1
        return z * z * t * self.rho2 / (2 * grown) - 0.5 * math.log(grown)

    def width(self, t: float, alpha: float) -> float:
        grown = t * self.rho2 + 1
        return math.sqrt(2 * grown / (t * self.rho2) * math.log(math.sqrt(grown) / alpha))


@dataclass(frozen=True)
class Aimed:
    """Effects are normal about ``far`` or, as likely, ``-far``, with a standard deviation of 1: in standard
    errors at ``t = aim``.
    """

    far: float
    aim: float

    @classmethod
    def at(cls, aim: float, alpha: float) -> Self:
        """With the ``far`` for which two points alone, without a width, are tightest at ``aim``."""
        return cls(math.sqrt(2 * math.log(2 / alpha)), aim)

    def log_e(self, z: float, t: float) -> float:
        v = t / self.aim
        grown, s = 1 + v, abs(z) * math.sqrt(v)
        lean = self.far * s / grown
        either = lean + math.log1p(math.exp(-2 * lean)) - math.log(2)
        return (s * s - self.far**2 * v) / (2 * grown) + either - 0.5 * math.log(grown)

    def width(self, t: float, alpha: float) -> float:
        return _width(self, t, alpha)


@lru_cache(maxsize=4096)
def _width(mixture: Aimed, t: float, alpha: float) -> float:
    """Kept, as all metrics of one look ask for few of them."""

    def missing(z: float) -> float:
        return mixture.log_e(z, t) + math.log(alpha)

    high = 4.0
    while missing(high) <= 0:
        high *= 2
    # Here, because it takes a tenth of a second that most processes never need.
    from scipy.optimize import brentq

    return float(brentq(missing, 0.0, high))
