"""What the bandit adds to a request, beside the site's default blend. Simulated traffic.

In time on the clock, and in processor time of the thread that serves, which others on the machine disturb
less.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from apps.accounts.models import User
from apps.algorithms.strategy import DEFAULT_BANDIT_ARMS
from apps.algorithms.types import Float64
from apps.bandits.beliefs import forget_bandits, held_bandit
from apps.events.models import Surface
from apps.recommendations import placing, recording
from apps.recommendations.services import drafting, recommend
from apps.recommendations.slates import SlateRequest
from benchmarks.bandit_site.preparation import WHOLE, viewers_of

LENGTH = 20
MOST_MS = 3.0
PERCENTILES = (50, 95, 99)
HYBRID, BANDIT = "hybrid", "bandit"
STAGES = {
    "who owns each slot": (drafting, "draw"),
    "folding the arms": (placing.Folding, "of"),
    "ranking for each arm": (placing, "make_pickers"),
    "filling the slots": (placing, "draft"),
    "reasons": (drafting, "leads_of"),
    "log rows": (recording, "record_slates"),
    "counts": (recording, "count_slates"),
}
CLOCKS = ("on the clock", "of the processor")
Milliseconds = Mapping[str, Float64]


def report(n_pairs: int, n_rounds: int) -> Iterator[str]:
    viewers = viewers_of(WHOLE)
    _pairs(viewers, len(viewers))
    rounds = [_pairs(viewers, n_pairs) for _ in range(n_rounds)]
    load = os.getloadavg()[1]
    yield f"{n_rounds} rounds of {n_pairs} pairs of requests in turns, {len(viewers)} viewers, "
    yield f"{LENGTH} films; medians over rounds, in ms. Load average {load:.1f}."
    yield ""
    yield "| time | percentile of a round | hybrid | bandit | difference | ≤ 3 ms |"
    yield "|---|---|---|---|---|---|"
    for place, clock in enumerate(CLOCKS):
        for percent in PERCENTILES:
            yield _percentile(clock, [{name: one[name][:, place] for name in one} for one in rounds], percent)
    yield ""
    yield from _stages(viewers, n_pairs)
    yield ""
    yield from _tails()


def _pairs(viewers: Sequence[User], n: int) -> Milliseconds:
    """``n`` requests of each strategy, by turns, and by turns the first: ``(n, 2)``, a column for each
    clock.
    """
    found: dict[str, list[tuple[float, float]]] = {HYBRID: [], BANDIT: []}
    for number in range(n):
        viewer = viewers[number % len(viewers)]
        for name in (HYBRID, BANDIT) if number % 2 else (BANDIT, HYBRID):
            request = _request(viewer, name)
            started, busy = time.perf_counter(), time.thread_time()
            recommend(request)
            found[name].append((time.perf_counter() - started, time.thread_time() - busy))
    return {name: 1000 * np.array(seconds) for name, seconds in found.items()}


def _request(viewer: User, name: str) -> SlateRequest:
    """The site's own strategy is the bandit; the blend is asked for instead, which is the site's default."""
    wish = None if name == BANDIT else False
    return SlateRequest(viewer, viewer.unit_key, Surface.API, n=LENGTH, use_bandit=wish)


def _percentile(clock: str, rounds: Sequence[Milliseconds], percent: int) -> str:
    by_name = {
        name: np.array([np.percentile(one[name], percent) for one in rounds]) for name in (HYBRID, BANDIT)
    }
    added = float(np.median(by_name[BANDIT] - by_name[HYBRID]))
    cells = " | ".join(f"{np.median(values):.2f}" for values in by_name.values())
    said = "" if percent > 95 else "met" if added <= MOST_MS else "missed"
    return f"| {clock} | {percent} | {cells} | {added:+.2f} | {said} |"


# --- Where it goes -------------------------------------------------------------------------------


def _stages(viewers: Sequence[User], n: int) -> Iterator[str]:
    told: dict[str, dict[str, list[float]]] = {HYBRID: defaultdict(list), BANDIT: defaultdict(list)}
    with _timed() as times:
        for number in range(n):
            for name in (HYBRID, BANDIT) if number % 2 else (BANDIT, HYBRID):
                times.clear()
                started = time.thread_time()
                recommend(_request(viewers[number % len(viewers)], name))
                whole = (time.thread_time() - started) * 1000
                for stage in STAGES:
                    told[name][stage].append(times[stage])
                told[name]["all else"].append(whole - sum(times.values()))
    yield "| part of a request, processor time | hybrid, median | bandit, median | added | at the 95th |"
    yield "|---|---|---|---|---|"
    for stage in [*STAGES, "all else"]:
        low, high = (np.percentile(told[name][stage], (50, 95)) for name in (HYBRID, BANDIT))
        added = high - low
        yield f"| {stage} | {low[0]:.2f} | {high[0]:.2f} | {added[0]:+.2f} | {added[1]:+.2f} |"


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """The milliseconds of each stage of the requests meanwhile, added up until they are cleared."""
    times: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        for stage, (module, name) in STAGES.items():
            timed = _timing(getattr(module, name), stage, times)
            stack.enter_context(patch.object(module, name, timed))
        yield times


def _timing(function: Callable[..., Any], stage: str, times: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            times[stage] += (time.thread_time() - started) * 1000

    return timed


# --- What not every request pays -----------------------------------------------------------------


def _tails() -> Iterator[str]:
    """What a request waits for besides, where what is believed was read two seconds ago."""
    yield "| once in two seconds of a process, processor time | median, ms | 95th percentile, ms |"
    yield "|---|---|---|"
    readings, firsts = [], []
    rng = np.random.default_rng(1)
    for number in range(100):
        forget_bandits()
        started = time.thread_time()
        bandit = held_bandit(DEFAULT_BANDIT_ARMS)
        readings.append((time.thread_time() - started) * 1000)
        assert bandit is not None
        started = time.thread_time()
        bandit.beliefs.select(number % 96, 3, rng)
        firsts.append((time.thread_time() - started) * 1000)
    for name, values in (("reading what is believed", readings), ("the first draw in a context", firsts)):
        yield f"| {name} | {np.median(values):.2f} | {np.percentile(values, 95):.2f} |"
