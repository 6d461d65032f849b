"""A search for a better configuration: many are measured cheaply, the best of them again at a higher price.

Successive halving after Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization" (AISTATS 2016), the inner loop of Hyperband (Li et al., JMLR 18, 2018). Configurations are
whatever the caller makes of them; here they are numbered in the order in which they were drawn.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

C = TypeVar("C")

ETA = 3
WIDE, NARROW = 4.0, 1.5
WIDE_SHARE = 0.6
"""Of the configurations are drawn around where the search began, the others closer around the best so far."""


@dataclass(frozen=True)
class Round:
    """``n`` configurations to draw: a wide one's around where the search began, another's around the best."""

    n: int
    is_wide: bool


@dataclass(frozen=True)
class Halving:
    """``rungs`` holds the values of each rung, by number; ``best`` has the highest of the last."""

    rungs: tuple[Mapping[int, float], ...]
    best: int


@dataclass(frozen=True)
class Trial(Generic[C]):
    """A configuration and its values, rung by rung, of those that it came to."""

    configuration: C
    values: tuple[float, ...]


@dataclass(frozen=True)
class Found(Generic[C]):
    """``trials`` in the order in which they were drawn, the first with what the search began with.

    Those that could not be measured are left out. ``best`` has the highest value of the last rung; of
    equals, the first.
    """

    trials: tuple[Trial[C], ...]
    best: Trial[C]


def rung_shares(n: int, *, least: int, eta: int = ETA) -> tuple[float, ...]:
    """Shares of ``n`` people, ascending: each ``eta`` times the one before, the last 1.

    The first is of ``least`` people or more; a single share of 1 where there are too few for two. Raises
    ``ValueError`` for ``eta`` below 2 and ``least`` below 1.
    """
    _require_eta(eta)
    if least < 1:
        raise ValueError(f"least must be at least 1, not {least}")
    shares = [1.0]
    while n * shares[-1] / eta >= least:
        shares.append(shares[-1] / eta)
    return tuple(reversed(shares))


def rung_sizes(n: int, n_rungs: int, eta: int = ETA) -> tuple[int, ...]:
    """How many of ``n`` configurations each rung measures: all, then 1 / ``eta`` of the rung before, rounded
    up. Raises ``ValueError`` for ``n`` or ``n_rungs`` below 1 and ``eta`` below 2."""
    _require_eta(eta)
    if n < 1 or n_rungs < 1:
        raise ValueError(f"a search needs a configuration and a rung, not {n} and {n_rungs}")
    sizes = [n]
    while len(sizes) < n_rungs:
        sizes.append(ceil(sizes[-1] / eta))
    return tuple(sizes)


def n_affordable(budget: float, costs: Sequence[float], *, most: int, eta: int = ETA) -> int:
    """How many configurations, 1 to ``most``, ``budget`` pays for when one costs ``costs`` by rung."""

    def cost(n: int) -> float:
        return sum(size * each for size, each in zip(rung_sizes(n, len(costs), eta), costs, strict=True))

    low, high = 1, max(most, 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cost(middle) <= budget else (low, middle - 1)
    return low


def halve(
    n: int,
    measure: Callable[[int, int], float | None],
    *,
    n_rungs: int,
    kept: Collection[int] = (0,),
    eta: int = ETA,
) -> Halving:
    """The best of the configurations ``0`` to ``n - 1`` by successive halving.

    ``measure(configuration, rung)`` gives a value, the higher the better, or None for one that drops out.
    ``kept`` are in every rung whatever their values, beside ``rung_sizes`` of the others; equal values fall
    by number. Raises ``ValueError`` as ``rung_sizes``, without any of ``kept``, for one that is none of the
    configurations, and where one of ``kept`` cannot be measured.
    """
    if not kept or not all(0 <= one < n for one in kept):
        raise ValueError(f"kept must be some of the configurations 0 to {n - 1}, not {sorted(kept)}")
    first = sorted(set(kept))
    others = [one for one in range(n) if one not in first]
    sizes = rung_sizes(max(len(others), 1), n_rungs, eta)
    rungs: list[Mapping[int, float]] = []
    for rung, size in enumerate(sizes):
        entered = [*first, *others[:size]]
        measured = {one: value for one in entered if (value := measure(one, rung)) is not None}
        lost = [one for one in first if one not in measured]
        if lost:
            raise ValueError(f"configuration {lost[0]} is kept, and cannot be measured")
        rungs.append(measured)
        ranked = sorted(measured, key=lambda one: (-measured[one], one))
        others = [one for one in ranked if one not in first]
    return Halving(tuple(rungs), ranked[0])


def two_rounds(n: int) -> tuple[Round, ...]:
    """``n`` configurations, the first ``WIDE_SHARE`` of them wide."""
    n_wide = ceil(n * WIDE_SHARE)
    rounds = (Round(n_wide, is_wide=True), Round(n - n_wide, is_wide=False))
    return tuple(one for one in rounds if one.n)


def search(
    start: C,
    draw: Callable[[C, float], C],
    measure: Callable[[C, int], float | None],
    rounds: Iterable[Round],
    *,
    n_rungs: int,
    eta: int = ETA,
) -> Found[C]:
    """The best of ``start`` and of what ``rounds`` draw, each a successive halving.

    ``draw(centre, factor)`` gives a configuration near ``centre``. ``measure(configuration, rung)`` as for
    ``halve``, asked once for each. ``start`` and the best so far are in every rung, so the answer is never
    worse in the last rung than ``start``. Each of ``rounds`` is asked for when the one before has ended.
    Raises ``ValueError`` when ``start`` cannot be measured.
    """
    drawn = _Drawn([start], measure, n_rungs, eta)
    best = drawn.halve([], kept=(0,))
    for one in rounds:
        centre, factor = (start, WIDE) if one.is_wide else (drawn.configurations[best], NARROW)
        best = drawn.halve([draw(centre, factor) for _ in range(one.n)], kept=(0, best))
    trials = drawn.trials()
    return Found(tuple(trials.values()), trials[best])


class _Drawn(Generic[C]):
    """Configurations by number and what was measured of each, over several halvings."""

    def __init__(
        self,
        configurations: Sequence[C],
        measure: Callable[[C, int], float | None],
        n_rungs: int,
        eta: int,
    ) -> None:
        self.configurations = list(configurations)
        self._measure, self._n_rungs, self._eta = measure, n_rungs, eta
        self._values: dict[tuple[int, int], float | None] = {}

    def halve(self, drawn: Sequence[C], *, kept: Collection[int]) -> int:
        """The number of the best of ``kept`` and of ``drawn``, which are numbered on from what there is."""
        numbers = sorted(set(kept))
        first = len(numbers)
        numbers += range(len(self.configurations), len(self.configurations) + len(drawn))
        self.configurations += drawn
        halving = halve(
            len(numbers),
            lambda one, rung: self._value(numbers[one], rung),
            n_rungs=self._n_rungs,
            kept=range(first),
            eta=self._eta,
        )
        return numbers[halving.best]

    def trials(self) -> dict[int, Trial[C]]:
        """By number, those that were measured."""
        values: dict[int, list[float]] = {}
        for (number, _), value in sorted(self._values.items(), key=lambda item: item[0]):
            if value is not None:
                values.setdefault(number, []).append(value)
        return {one: Trial(self.configurations[one], tuple(found)) for one, found in values.items()}

    def _value(self, number: int, rung: int) -> float | None:
        if (number, rung) not in self._values:
            self._values[number, rung] = self._measure(self.configurations[number], rung)
        return self._values[number, rung]


def _require_eta(eta: int) -> None:
    if eta < 2:
        raise ValueError(f"eta must be at least 2, not {eta}")
