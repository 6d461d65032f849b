"""Deterministic assignment of units by hash.

Whoever holds the salt and the unit gets the same answer on every machine and in every version of
Python. Different salts give independent answers, so coverage, split and layer each store their own.
"""

from collections.abc import Mapping
from hashlib import sha256
from math import isfinite

WEIGHT_TOLERANCE = 1e-9
"""How far a set of weights may be from 1 in sum."""


def bucket(salt: str, unit: str) -> float:
    """The unit's place between 0 and 1, uniform over units.

    The first 16 hex digits of ``sha256("salt:unit")`` over 2**64. The highest 2**10 of these numbers
    round to 1.0 exactly, so callers compare with ``<`` and treat 1 as "everybody" themselves.
    """
    return int(sha256(f"{salt}:{unit}".encode()).hexdigest()[:16], 16) / 2**64


def in_coverage(salt: str, unit: str, coverage: float) -> bool:
    """Whether the unit is among the covered share; who is in stays in when ``coverage`` grows.

    ``coverage`` is 0 (nobody) to 1 (everybody); anything else raises ``ValueError``.
    """
    if not 0 <= coverage <= 1:
        raise ValueError(f"coverage must lie between 0 and 1, not {coverage}")
    return coverage == 1 or bucket(salt, unit) < coverage


def choose_variant(salt: str, unit: str, weights: Mapping[str, float]) -> str:
    """The unit's variant; each is chosen with the probability ``weights`` gives it.

    Variants divide 0 to 1 in order of their names, so the order of the mapping, which a JSON column
    does not keep, moves nobody. Raises ``ValueError`` for weights that are negative, not finite or
    not 1 in sum.
    """
    _require_weights(weights)
    place, end = bucket(salt, unit), 0.0
    names = sorted(name for name, weight in weights.items() if weight > 0)
    for name in names:
        end += weights[name]
        if place < end:
            return name
    return names[-1]


def _require_weights(weights: Mapping[str, float]) -> None:
    if not all(isfinite(weight) and weight >= 0 for weight in weights.values()):
        raise ValueError("variant weights must be finite and not negative")
    total = sum(weights.values())
    if abs(total - 1) > WEIGHT_TOLERANCE:
        raise ValueError(f"variant weights must sum to 1, not {total:g}")
