"""What a search for parameters finds in the same time: successive halving beside a random search.

    python benchmarks/tuning.py
    python benchmarks/tuning.py --data ml-latest-small --arms svd hybrid --seconds 20 --seeds 5

``as before`` is a random search that takes every measure of each configuration, ``random`` one that takes
nDCG alone, ``halving`` what ``manage.py tune`` does. All search for the same seconds, on the same validation
slice, around the defaults; what each found is measured on the test part, which no search saw. Figures are
means over seeds; seconds are those of the processor with one thread, so that what else runs on the machine
changes little.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from apps.algorithms.splitting import Split
    from apps.training.services.evaluating import Plan
    from apps.training.services.tuning import TunedArm

ARMS = ("svd", "als", "item_cf", "sequence", "content", "hybrid")
MOST = 100_000


def main() -> None:
    options = _options()
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
    django.setup()
    if options.loaded:
        _compare(options)
        return
    from apps.training.scratch import DataPlaces, scratch_site

    with scratch_site(DataPlaces(options.data)) as site:
        subprocess.run([sys.executable, *sys.argv, "--loaded"], env=site.environment, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="demo", help="a release of MovieLens (default: the demo's)")
    parser.add_argument("--arms", nargs="+", default=ARMS)
    parser.add_argument("--seconds", type=float, default=10, help="of each search")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each kind")
    parser.add_argument("--loaded", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(options: argparse.Namespace) -> None:
    from apps.training.datasets import build_interactions

    interactions = build_interactions()
    _count_the_processor()
    print(f"\n{options.data}, {options.seconds:g} s for each search, {options.seeds} seeds\n")
    _print_row("arm", "search", "tried", "in the last rung", "grows", "slice", "gain", "test", "gain")
    _print_row(*["---"] * 9)
    for name in options.arms:
        for kind in ("as before", "random", "halving"):
            seeds = range(1, 1 + options.seeds)
            found = [_search(name, kind, seed, interactions, options.seconds) for seed in seeds]
            _print_row(name, kind, *_cells(found))


def _search(name: str, kind: str, seed: int, interactions: Any, seconds: float) -> "TunedArm":
    import numpy as np
    from threadpoolctl import threadpool_limits

    from apps.training.services.evaluating import make_plan, part_ratings
    from apps.training.services.searching import search_parameters
    from apps.training.services.tuning import HeldBack

    plan = make_plan(arms=[name], seed=seed)
    rng = np.random.default_rng(seed)
    outer = next(part_ratings(plan, interactions, rng))
    inner = next(part_ratings(plan, outer.learned, rng))
    with threadpool_limits(1):
        found = search_parameters(_bench(name, kind, plan, inner), MOST, seconds)
        return HeldBack(plan, outer, {name: found.best.configuration}).arm(found)


def _count_the_processor() -> None:
    """Instead of the clock on the wall."""
    from apps.training.services import benches, searching

    clock = SimpleNamespace(monotonic=time.process_time, perf_counter=time.process_time)
    for module in (benches, searching):
        vars(module)["time"] = clock


def _bench(name: str, kind: str, plan: "Plan", split: "Split") -> Any:
    import numpy as np

    from apps.algorithms.evaluation import ArmLists, measure
    from apps.training.services.benches import ArmBench

    class OneRung(ArmBench):
        def choose_growth(self) -> None:
            """Nothing grows."""

    class EveryMeasure(OneRung):
        def _values(self, fitted: Any, people: Any) -> Any:
            k, relevant = self.plan.k, self.plan.relevant
            found = measure(
                ArmLists(fitted), self.split.known, self.split.test, self.facts, k=k, relevant=relevant
            )
            return np.column_stack([found.values["ndcg"], np.ones(len(found.users))])

    bench = {"as before": EveryMeasure, "random": OneRung, "halving": ArmBench}[kind]
    return bench(name, plan, split, {})


def _cells(found: Sequence["TunedArm"]) -> list[str]:
    searched = [one.searched for one in found]
    last = [sum(len(trial.values) == len(one.rungs) for trial in one.trials) for one in searched]
    ends = [one.best.values[-1] for one in searched]
    begins = [one.trials[0].values[-1] for one in searched]
    after = [one.after.ndcg.value for one in found if one.after.ndcg]
    gains = [one.difference.value for one in found if one.difference]
    return [
        f"{statistics.mean(len(one.trials) for one in searched):.0f}",
        f"{statistics.mean(last):.0f}",
        searched[0].grows if len(searched[0].rungs) > 1 else "",
        f"{statistics.mean(ends):.4f}",
        f"{statistics.mean(ends) - statistics.mean(begins):+.4f}",
        f"{statistics.mean(after):.4f}",
        f"{statistics.mean(gains):+.4f}",
    ]


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
