"""One search for better parameters on the validation slice, in a number of trials or in time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.algorithms.tuning import ETA, WIDE_SHARE, Round, Trial, n_affordable, rung_sizes, search, two_rounds
from apps.algorithms.types import Parameters
from apps.core.errors import Conflict
from apps.training.services.benches import Bench, Growth
from apps.training.services.evaluating import NOTHING_TO_MEASURE, Progress

SAFE_SHARE = 0.8
"""Of what is left goes into a last round: one that is cut short before its last rung was for nothing."""


@dataclass(frozen=True)
class Rung:
    """``n_people`` were measured, or fitted on, for each of ``n_configurations``."""

    n_people: int
    n_configurations: int


@dataclass(frozen=True)
class Searched:
    """What a search found on the validation slice: values are nDCG, of the predictor RMSE with a minus.

    ``trials`` in order, the first with the parameters that the search began with; those that came to the
    last rung have a value for each of ``rungs``. ``grows`` says what grew from rung to rung.
    """

    name: str
    trials: tuple[Trial[Parameters], ...]
    best: Trial[Parameters]
    rungs: tuple[Rung, ...]
    grows: Growth
    seconds: float

    @property
    def is_changed(self) -> bool:
        return self.best is not self.trials[0]


def search_parameters(
    bench: Bench[Any], n_trials: int, seconds: float | None, progress: Progress = lambda step: None
) -> Searched:
    """The best of ``n_trials`` configurations, or of so many as ``seconds`` allow.

    Raises ``Conflict`` when there is nobody to measure.
    """
    began = time.monotonic()
    progress(f"{bench.name}, as it is")
    if bench.measure(bench.start, 1.0) is None:
        raise Conflict(NOTHING_TO_MEASURE)
    bench.choose_growth()
    search_ = _Search(bench, n_trials, began, seconds, progress)
    # Of its own, so that it hangs on no other arm that is tuned beside it.
    rng = np.random.default_rng([bench.plan.seed, *bench.name.encode()])
    found = search(
        bench.start,
        lambda centre, factor: bench.draw(centre, factor, rng),
        search_.measure,
        two_rounds(n_trials) if seconds is None else search_.rounds_in_time(),
        n_rungs=len(bench.shares),
    )
    return Searched(
        name=bench.name,
        trials=found.trials,
        best=found.best,
        rungs=search_.rungs,
        grows=bench.grows,
        seconds=time.monotonic() - began,
    )


class _Search:
    """One search, and how long its configurations take."""

    def __init__(
        self, bench: Bench[Any], n_trials: int, began: float, seconds: float | None, progress: Progress
    ) -> None:
        self._bench, self._n_trials, self._progress = bench, n_trials, progress
        self._began, self._seconds = began, seconds
        self._shares = bench.shares
        self._taken: list[list[float]] = [[] for _ in self._shares]
        self._counted = [0] * len(self._shares)
        self._later_seconds = [0.0] * len(self._shares)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        people = map(self._bench.n_people, self._shares)
        return tuple(Rung(*pair) for pair in zip(people, self._counted, strict=True))

    def measure(self, parameters: Parameters, rung: int) -> float | None:
        """None for whatever comes too late: after the end, or with no time left for the rungs to come."""
        is_start = parameters is self._bench.start
        if self._seconds is not None and not is_start and self._left <= self._later_seconds[rung]:
            return None
        self._counted[rung] += 1
        people = self._bench.n_people(self._shares[rung])
        self._progress(f"{self._bench.name}, {people} people, number {self._counted[rung]}")
        began = time.monotonic()
        value: float | None = self._bench.measure(parameters, self._shares[rung])
        if not is_start:
            self._taken[rung].append(time.monotonic() - began)
        return value

    def rounds_in_time(self) -> Iterator[Round]:
        """Rounds until nothing is left, each as large as what was measured so far says that time allows."""
        n_left, whole = self._n_trials, self._left
        while n_left:
            wide = self._left - (1 - WIDE_SHARE) * whole
            is_wide = self._n_in(wide, n_left) >= min(ETA, n_left)
            n = self._n_in(wide if is_wide else SAFE_SHARE * self._left, n_left)
            if n < min(ETA, n_left):
                return
            n_left -= n
            self._later_seconds = self._seconds_after_each_rung(n)
            yield Round(n, is_wide)

    @property
    def _left(self) -> float:
        return self._began + (self._seconds or 0.0) - time.monotonic()

    def _n_in(self, seconds: float, most: int) -> int:
        """How many configurations can be measured in ``seconds``; 0 where not even one."""
        costs = self._costs
        return n_affordable(seconds, costs, most=most) if sum(costs) <= seconds else 0

    def _seconds_after_each_rung(self, n: int) -> list[float]:
        """Of the rungs that come after it in a round of ``n``."""
        sizes = rung_sizes(n, len(self._shares))
        seconds = [size * cost for size, cost in zip(sizes, self._costs, strict=True)]
        return [sum(seconds[rung + 1 :]) for rung in range(len(seconds))]

    @property
    def _costs(self) -> list[float]:
        """Seconds of a configuration by rung, as measured where anything was."""
        return [
            sum(taken) / len(taken) if taken else expected
            for taken, expected in zip(self._taken, self._bench.costs(), strict=True)
        ]
