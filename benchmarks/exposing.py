"""What an experiment adds to a list, and what it costs to count only the lists that differ.

    python benchmarks/exposing.py                          on a SQLite file
    python benchmarks/exposing.py --database postgresql

The demo's films and model, on a database of the run's own; ``recommend()`` of viewers with long histories,
in one process with warm caches, lists of 20, logged. Of each experiment only viewers of control are asked,
who get the default blend as they do without it. All traffic is simulated.
"""

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import own_database  # noqa: E402 - the path above comes first

DATABASE, SETTINGS = "marquee_exposing", "benchmarks.serving_site.settings"
N_FILMS, LENGTH, WARM_UP = 9_066, 20, 100
EXPERIMENTS: dict[str, dict[str, Any] | None] = {
    "no experiment": None,
    "one, every list counts": {"arms": ["als"]},
    "only lists that differ, two variants": {"arms": ["als"], "only_differing": True},
    "only lists that differ, three variants": {"arms": ["als", "item_cf"], "only_differing": True},
}


def main() -> None:
    options = _options()
    if options.measure:
        for line in _measured(options):
            print(line, flush=True)
        return
    with own_database(options.database, DATABASE, server=options.postgres, settings=SETTINGS) as own:
        words = ["--requests", str(options.requests), "--viewers", str(options.viewers), "--measure"]
        environment = {**own, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, __file__, *words], env=environment, cwd=ROOT, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432", help="without a database")
    parser.add_argument("--requests", type=int, default=2_000, help="of each row")
    parser.add_argument("--viewers", type=int, default=400)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(options: argparse.Namespace) -> Iterator[str]:
    import numpy as np

    from benchmarks.serving_site.preparation import main as prepare

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        prepare(N_FILMS, options.viewers)
    yield "| what serves | median, ms | added | 95th percentile, ms | added |"
    yield "|---|---|---|---|---|"
    base = None
    for name, values in EXPERIMENTS.items():
        seconds = np.array(_served(values, options.requests)) * 1000
        found = np.percentile(seconds, (50, 95))
        base = found if base is None else base
        median, tail = found
        yield f"| {name} | {median:.2f} | {median - base[0]:+.2f} | {tail:.2f} | {tail - base[1]:+.2f} |"


def _served(values: dict[str, Any] | None, n: int) -> list[float]:
    """Seconds of ``n`` requests beside this experiment, which is ended after them."""
    from apps.accounts.models import User
    from apps.events.models import Surface
    from apps.experiments.services import assign, stop
    from apps.recommendations.services import recommend
    from apps.recommendations.slates import SlateRequest

    if values is not None:
        _start(**values)
    viewers = list(User.objects.filter(username__startswith="bench-", is_staff=False))
    asked = [one for one in viewers if values is None or _is_control(assign(one.unit_key))]
    found = []
    for number in range(WARM_UP + n):
        viewer = asked[number % len(asked)]
        started = time.perf_counter()
        recommend(SlateRequest(viewer, viewer.unit_key, Surface.API, n=LENGTH))
        found.append(time.perf_counter() - started)
    if values is not None:
        stop(key="benchmark", by=None, reason="a benchmark")
        _forget()
    return found[WARM_UP:]


def _is_control(assignment: Any) -> bool:
    return any(one.variant == "control" for one in assignment.served)


def _start(arms: list[str], *, only_differing: bool = False) -> None:
    from apps.experiments.services import Design, VariantDesign, create_experiment, start

    n = len(arms) + 1
    variants = [VariantDesign("control", 1 - (n - 1) / n, True, {"arms": {"hybrid": 1}})]
    variants += [VariantDesign(arm, 1 / n, False, {"arms": {arm: 1}}) for arm in arms]
    design = Design(
        key="benchmark",
        name="Benchmark",
        layer="strategy",
        variants=tuple(variants),
        only_differing=only_differing,
    )
    create_experiment(design=design, by=None)
    start(key="benchmark", by=None, reason="a benchmark")
    _forget()


def _forget() -> None:
    """Experiments of one key follow each other: what ended is gone, and what began is served at once."""
    from apps.experiments.models import Decision, Experiment, Phase
    from apps.experiments.running import forget_field

    ended = Experiment.objects.filter(state="completed")
    Decision.objects.filter(experiment__in=ended).delete()
    Phase.objects.filter(experiment__in=ended).delete()
    ended.delete()
    forget_field()


if __name__ == "__main__":
    main()
