"""What each arm costs: one viewer's films, training, and our fits beside ``implicit`` alone.

    python benchmarks/arms.py                          all tables
    python benchmarks/arms.py --tables speed --films 9066 --arms als hybrid
    python benchmarks/arms.py --tables implicit --rounds 9

Data is the demo's 9,066 films and 100,004 ratings; ``--films`` repeats its films, each copy rated by the
same people, and ``--people`` its people. What the demo does not tell of films is made up (see
``benchmarks/arm_costs/data.py``). Each fit is a process of its own, with one thread of BLAS as the site's
processes have. A composed arm's figures of training are of what it learns itself.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.algorithms.registry import ARMS, make_arm, with_needs  # noqa: E402 - the path above comes first
from benchmarks.arm_costs.data import DataSet  # noqa: E402

DEMO_FILMS = 9066
TABLES = ("speed", "training", "implicit")
Costs = Mapping[str, Mapping[str, float]]
"""What a child measured, by arm."""


def main() -> None:
    options = _options()
    wide = [DataSet(films, 1) for films in options.films]
    tall = [DataSet(DEMO_FILMS, people) for people in options.people]
    fitted = (wide if "speed" in options.tables else []) + (tall if "training" in options.tables else [])
    compared = tall if "implicit" in options.tables else []
    with TemporaryDirectory(prefix="marquee-arms-") as name:
        folder = Path(name)
        for data in dict.fromkeys([*fitted, *compared]):
            _run("data", _data(folder, data), "--films", data.n_films, "--people", data.people)
        training = {data: _fit(folder, data, options.arms) for data in dict.fromkeys(fitted)}
        if "speed" in options.tables:
            _report_speed({data: _serve(folder, data, options) for data in wide}, options)
        if "training" in options.tables:
            _report_training(
                {data: training[data] for data in dict.fromkeys([*tall, *wide]) if data in training}
            )
        if compared:
            _report_implicit({data: _compare(folder, data, options.rounds) for data in compared})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--films", nargs="+", type=int, default=[DEMO_FILMS, 60_000], help="of speed")
    parser.add_argument("--people", nargs="+", type=int, default=[1, 10], help="times the demo's, of fits")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="of speed, and of comparisons")
    return parser.parse_args()


def _fit(folder: Path, data: DataSet, arms: Sequence[str]) -> Costs:
    return {
        name: _run("fitting", _data(folder, data), name, _models(folder, data)) for name in with_needs(arms)
    }


def _serve(folder: Path, data: DataSet, options: argparse.Namespace) -> Costs:
    words = ["--arms", *options.arms, "--viewers", options.viewers, "--rounds", options.rounds]
    costs: Costs = _run("serving", _data(folder, data), _models(folder, data), *words)
    return costs


def _compare(folder: Path, data: DataSet, rounds: int) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = _run("beside_implicit", _data(folder, data), "--rounds", rounds)
    return found


def _run(module: str, *words: object) -> Any:
    """What a module of ``arm_costs`` printed, in a process of its own; None for nothing."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.arm_costs.{module}", *map(str, words)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout) if done.stdout else None


def _data(folder: Path, data: DataSet) -> Path:
    return folder / "data" / data.name


def _models(folder: Path, data: DataSet) -> Path:
    return folder / "models" / data.name


def _report_speed(costs: Mapping[DataSet, Costs], options: argparse.Namespace) -> None:
    print(
        f"\nScores and top 200 for each of {options.viewers} viewers: ms median, p95 (median of processor)\n"
    )
    _print_row("arm", *(f"{data.n_films:,} films" for data in costs))
    _print_row(*["---"] * (1 + len(costs)))
    for name in options.arms:
        cells = [costs[data][name] for data in costs]
        _print_row(
            name, *(f"{cell['median']:.1f}, {cell['p95']:.1f} ({cell['cpu_median']:.1f})" for cell in cells)
        )


def _report_training(costs: Mapping[DataSet, Costs]) -> None:
    print("\nTraining: seconds (of the processor), peak MB on top of the data, MB of arrays\n")
    _print_row("arm", "made of", *(f"{data.n_films:,} films, people × {data.people}" for data in costs))
    _print_row(*["---"] * (2 + len(costs)))
    for name in next(iter(costs.values())):
        cells = [costs[data][name] for data in costs]
        _print_row(name, ", ".join(make_arm(name).needs), *map(_training_cell, cells))


def _training_cell(cost: Mapping[str, float]) -> str:
    seconds, cpu_seconds = cost["seconds"], cost["cpu_seconds"]
    return f"{seconds:.2f} ({cpu_seconds:.2f}) s, {cost['peak_mb']:.0f}, {cost['artifact_mb']:.1f}"


def _report_implicit(found: Mapping[DataSet, Mapping[str, Mapping[str, Any]]]) -> None:
    print("\nOur fit beside implicit alone, in turns: ours / implicit's, by the clock and of the processor\n")
    _print_row("fit", "people", "ours, s", "implicit, s", "ratio", "by round", "processor's ratio")
    _print_row(*["---"] * 7)
    for data, comparisons in found.items():
        for name, one in comparisons.items():
            by_round = " ".join(f"{ratio:.2f}" for ratio in one["ratios"])
            middles = [f"{statistics.median(one[ratios]):.2f}" for ratios in ("ratios", "cpu_ratios")]
            seconds = [f"{one[side]:.2f}" for side in ("ours", "theirs")]
            _print_row(name, f"× {data.people}", *seconds, middles[0], by_round, middles[1])


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
