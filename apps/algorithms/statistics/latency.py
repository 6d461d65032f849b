"""Latencies as counts in fixed buckets, which add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from apps.algorithms.types import Float64, Int64

LEAST_MS, MOST_MS = 0.1, 60_000.0
BUCKETS = 288
RATIO = (MOST_MS / LEAST_MS) ** (1 / BUCKETS)
"""Of a bucket's upper edge to its lower one: 1.0473."""
EDGES: Float64 = LEAST_MS * RATIO ** np.arange(BUCKETS + 1)
EDGES[-1] = MOST_MS
"""Milliseconds, float64 ``(BUCKETS + 1,)``. They are never changed: stored histograms count by them."""
_LAST = BUCKETS + 1


@dataclass(frozen=True)
class LatencyHistogram:
    """``counts`` of requests by latency: bucket ``k`` holds ``EDGES[k - 1] <= ms < EDGES[k]``.

    The first, 0, holds what is below ``LEAST_MS`` and the last, ``BUCKETS + 1``, ``MOST_MS`` and above.
    Histograms of days, of units and of processes add up, as the edges are the same everywhere. Raises
    ``ValueError`` for another number of buckets and counts below 0.
    """

    counts: tuple[int, ...] = (0,) * (BUCKETS + 2)

    def __post_init__(self) -> None:
        if len(self.counts) != BUCKETS + 2:
            raise ValueError(f"a histogram has {BUCKETS + 2} buckets, not {len(self.counts)}")
        if min(self.counts) < 0:
            raise ValueError(f"bucket {self.counts.index(min(self.counts))} counts fewer than 0 requests")

    @classmethod
    def of(cls, latencies_ms: Iterable[float]) -> Self:
        """Raises ``ValueError`` for a latency that is below 0 or no number."""
        found = np.bincount(buckets_of(np.fromiter(latencies_ms, dtype=np.float64)), minlength=BUCKETS + 2)
        return cls(tuple(found.tolist()))

    @classmethod
    def from_json(cls, counts: Mapping[str, int]) -> Self:
        """Raises ``ValueError`` for a key that is no bucket and a count that is no number from 0."""
        found = [0] * (BUCKETS + 2)
        for key, count in counts.items():
            if not (key.isascii() and key.isdigit() and int(key) <= _LAST):
                raise ValueError(f"the buckets are 0 to {_LAST}, not {key!r}")
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise ValueError(f"bucket {key} must count requests, not {count!r}")
            found[int(key)] += count
        return cls(tuple(found))

    def to_json(self) -> dict[str, int]:
        """The buckets that hold a request, by number."""
        return {str(bucket): count for bucket, count in enumerate(self.counts) if count}

    def __add__(self, other: Self) -> Self:
        return type(self)(tuple(one + two for one, two in zip(self.counts, other.counts, strict=True)))

    def __sub__(self, other: Self) -> Self:
        """Raises ``ValueError`` where ``other`` holds what this one does not."""
        return type(self)(tuple(one - two for one, two in zip(self.counts, other.counts, strict=True)))

    @property
    def n(self) -> int:
        return int(self._cumulative[-1])

    def quantile(self, p: float) -> float:
        """Milliseconds that a share ``p`` of the requests took at most, linear within its bucket.

        Beside the order statistic of rank ``ceil(n p)`` it is off by less than 4.73 % of that
        (``RATIO - 1``), between ``LEAST_MS`` and ``MOST_MS``; what is beyond either counts as that edge.
        Raises ``ValueError`` for ``p`` outside 0 to 1, and where there is no request.
        """
        require_share(p)
        if not self.n:
            raise ValueError("a histogram of no request has no quantile")
        return float(self.latencies_at(np.array([p]))[0])

    def latencies_at(self, levels: Float64) -> Float64:
        """``quantile`` of each of the levels, same shape, 0 to 1; the outermost edges at 0 and 1."""
        # A rank that rounding has lifted is still that rank.
        ranks = levels * self.n * (1 - 1e-12)
        buckets = np.searchsorted(self._cumulative, ranks, side="left")
        inner = np.clip(buckets, 1, BUCKETS)
        below, held = self._cumulative[inner - 1], np.array(self.counts)[inner]
        part = np.clip((ranks - below) / np.maximum(held, 1), 0.0, 1.0)
        found = EDGES[inner - 1] + part * (EDGES[inner] - EDGES[inner - 1])
        found = np.where((buckets == 0) | (levels <= 0), LEAST_MS, found)
        return np.where((buckets > BUCKETS) | (levels >= 1), MOST_MS, found)

    def levels_at(self, latencies_ms: Float64) -> Float64:
        """The share of requests that took at most so long, same shape, linear within buckets."""
        return np.interp(latencies_ms, EDGES, self._cumulative[:-1] / self.n)

    @cached_property
    def _cumulative(self) -> Float64:
        return np.cumsum(self.counts, dtype=np.float64)


def buckets_of(latencies_ms: Float64) -> Int64:
    """The bucket of each, same shape. Raises ``ValueError`` for a latency that is below 0 or no number."""
    if not (latencies_ms >= 0).all():
        raise ValueError("a latency must be at least 0 ms")
    return np.asarray(np.searchsorted(EDGES, latencies_ms, side="right"), dtype=np.int64)


def require_share(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"a quantile's p must lie between 0 and 1, not at {p}")
