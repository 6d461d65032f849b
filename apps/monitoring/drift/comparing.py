"""Two sides counted by named bins, and how far they are apart."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.algorithms.statistics import psi

NO_BASELINE = "no_baseline"
DECIMALS = 5


@dataclass(frozen=True)
class Side:
    """``counts`` by bin of ``n`` that were counted, which are worth ``n / effect`` independent ones.

    ``counts`` sum to ``n``, whole or not.
    """

    counts: Mapping[str, float]
    n: int
    effect: float = 1.0


@dataclass(frozen=True)
class Compared:
    """One subject of one day; the fields are those of ``DriftDay``."""

    subject: str
    status: str
    psi: float | None
    on_nothing: float | None
    by_chance: float | None
    n_training: int
    n_now: int
    bins: Sequence[Mapping[str, Any]]


def compare(subject: str, training: Side | None, now: Side, *, rest: str = "") -> Compared:
    """``training`` None is one that is not known. Its bins are the bins: what ``now`` has besides counts as
    ``rest``, where that is not empty, else as a bin of its own.
    """
    if training is None:
        return Compared(subject, NO_BASELINE, None, None, None, 0, now.n, _shares({}, now.counts))
    counts = _into(training.counts, now.counts, rest)
    names = [*training.counts, *(name for name in counts if name not in training.counts)]
    found = psi(
        [training.counts.get(name, 0.0) for name in names],
        [counts.get(name, 0.0) for name in names],
        expected_effect=training.effect,
        actual_effect=now.effect,
    )
    return Compared(
        subject,
        found.status,
        _rounded(found.psi),
        _rounded(found.on_nothing),
        _rounded(found.by_chance),
        training.n,
        now.n,
        _shares(training.counts, counts),
    )


def _into(bins: Mapping[str, float], counts: Mapping[str, float], rest: str) -> dict[str, float]:
    """The counts under the names of ``bins`` as far as these know them."""
    found: dict[str, float] = defaultdict(float)
    for name, count in counts.items():
        found[name if name in bins or not rest else rest] += count
    return dict(found)


def _shares(training: Mapping[str, float], now: Mapping[str, float]) -> list[dict[str, Any]]:
    names = [*training, *(name for name in now if name not in training)]
    return [{"bin": name, "training": _share(training, name), "now": _share(now, name)} for name in names]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _share(counts: Mapping[str, float], name: str) -> float | None:
    """None where the side counts nothing."""
    total = sum(counts.values())
    return round(counts.get(name, 0.0) / total, DECIMALS) if total > 0 else None
