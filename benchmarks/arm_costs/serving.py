"""Milliseconds of one viewer in each arm, for ``benchmarks/arms.py``.

    python -m benchmarks.arm_costs.serving DATA MODELS --arms popular als

Prints JSON: median, p95 and the median of processor time by arm, over viewers whose histories are the
demo's. The arms are mapped from files as a site has them. Each viewer counts with the median of the
rounds, and the arms take turns in a round, so that what else the machine does falls on all of them.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from apps.algorithms.base import Recommender
from apps.algorithms.top import top_items
from apps.algorithms.types import Float64, History, Int64, Interactions
from benchmarks.arm_costs.data import load_interactions
from benchmarks.arm_costs.models import map_arms
from benchmarks.demo import FILMS_APART

PLACES = 200
SEED = 0


@dataclass(frozen=True)
class ViewerCost:
    """Milliseconds on the clock, and of the processor, which other programs disturb less."""

    median: float
    p95: float
    cpu_median: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--arms", nargs="+", required=True)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    histories = draw_histories(load_interactions(options.data), options.viewers)
    mapped = map_arms(options.models, options.arms)
    arms = {name: mapped[name] for name in options.arms}
    with threadpool_limits(1, "blas"):
        costs = measure(arms, histories, options.rounds)
    print(json.dumps({name: asdict(cost) for name, cost in costs.items()}))


def draw_histories(interactions: Interactions, n_viewers: int) -> list[History]:
    """People's own, also in length where the films are repeated."""
    rng = np.random.default_rng(SEED)
    n_viewers = min(n_viewers, interactions.n_users)
    people = rng.choice(interactions.n_users, n_viewers, replace=False)
    ids = interactions.items.ids
    return [_once_each(interactions.history(int(person)), ids, rng) for person in people]


def _once_each(history: History, ids: Int64, rng: np.random.Generator) -> History:
    """One, by chance, of each film's copies."""
    order = rng.permutation(len(history))
    _, first = np.unique(ids[history.items[order]] % FILMS_APART, return_index=True)
    kept = np.sort(order[first])
    return History(history.items[kept], history.values[kept])


def measure(
    arms: Mapping[str, Recommender], histories: Sequence[History], rounds: int
) -> Mapping[str, ViewerCost]:
    for arm in arms.values():
        # Reads the files, and makes what an arm makes at its first viewer.
        for history in histories:
            rank(arm, history)
    taken = {name: np.zeros((rounds, len(histories), 2)) for name in arms}
    for number in range(rounds):
        for name, arm in arms.items():
            taken[name][number] = [time_viewer(arm, history) for history in histories]
    return {name: _cost(np.median(times, axis=0)) for name, times in taken.items()}


def time_viewer(arm: Recommender, history: History) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor."""
    began, cpu_began = time.perf_counter(), time.thread_time()
    rank(arm, history)
    cpu_ended, ended = time.thread_time(), time.perf_counter()
    return (ended - began) * 1000, (cpu_ended - cpu_began) * 1000


def _cost(times: Float64) -> ViewerCost:
    median, cpu_median = np.median(times, axis=0)
    return ViewerCost(float(median), float(np.percentile(times[:, 0], 95)), float(cpu_median))


def rank(arm: Recommender, history: History) -> None:
    scores = arm.fold(history).scores.copy()
    scores[history.items] = -np.inf
    top_items(scores, PLACES)


if __name__ == "__main__":
    main()
