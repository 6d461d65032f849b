"""Every figure of docs/evaluation: all runs of ``manage.py evaluate``, their tables, plots and marks.

    python benchmarks/evaluation.py --small SMALL --films TMDB --ml100k ML100K
    python benchmarks/evaluation.py --only arms-demo

Writes docs/evaluation/figures.md and, beside it, each run's result as JSON and its plot. A data set is
loaded once, into a scratch database, and all its runs are made there. Runs whose data is not given are
skipped, and so are all but ``--only``: the page, written after each run, keeps what their JSON files hold.
Plots need requirements-evaluation.txt. The same data gives the same files.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures.runs import DEMO, ML100K, RUNS, SMALL, Run  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from apps.training.scratch import DataPlaces, ScratchSite
    from benchmarks.figures.marks import Result

FOLDER = "docs/evaluation"


def main() -> None:
    options = _options()
    # What the rest imports are models, and the files of parameters are named from here.
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
    django.setup()
    folder = Path(FOLDER)
    folder.mkdir(exist_ok=True)
    wanted = [run for run in RUNS if run.name in options.only]
    places = _places(options)
    for run in wanted:
        if run.data not in places:
            print(f"{run.name} is skipped: it needs --{run.data}")
    for data, place in places.items():
        runs = [run for run in wanted if run.data == data]
        if runs:
            _measure(runs, place, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=Path, metavar="PATH", help="ml-latest-small")
    parser.add_argument(
        "--films",
        type=Path,
        metavar="PATH",
        action="append",
        default=[],
        help="with --small: a table of TMDB",
    )
    parser.add_argument(
        "--ml100k", type=Path, metavar="PATH", help="MovieLens 100K in RecBole's files, with .kg and .link"
    )
    names = [run.name for run in RUNS]
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=names, default=names, help="of " + ", ".join(names)
    )
    return parser.parse_args()


def _places(options: argparse.Namespace) -> "Mapping[str, DataPlaces]":
    """Where each data set is that was given; the demo always is."""
    from apps.training.scratch import DataPlaces

    places = {DEMO: DataPlaces("demo")}
    if options.small:
        films = [str(table.resolve()) for table in options.films]
        places[SMALL] = DataPlaces(str(options.small.resolve()), films)
    if options.ml100k:
        folder = str(options.ml100k.resolve())
        places[ML100K] = DataPlaces(folder, graph=folder)
    return places


def _measure(runs: Sequence[Run], places: "DataPlaces", folder: Path) -> None:
    from apps.training.scratch import scratch_site
    from benchmarks.figures.page import draw

    with scratch_site(places) as site:
        for run in runs:
            began = time.monotonic()
            result = _run(run, site, places)
            (folder / f"{run.name}.json").write_text(json.dumps(result, indent=1) + "\n")
            if run.plot:
                draw(run, result, folder)
            _write_page(folder)
            print(f"{run.name}: {time.monotonic() - began:.0f} s", flush=True)


def _run(run: Run, site: "ScratchSite", places: "DataPlaces") -> "Result":
    from apps.training.scratch import run_command

    result = json.loads(run_command(site.environment, "evaluate", *run.words, "--json", hear=True))
    # How long it took is no figure, and would differ each time.
    arms = {
        name: {key: value for key, value in arm.items() if key != "seconds"}
        for name, arm in result["arms"].items()
    }
    return {**result, "arms": arms, "data": places.names}


def _write_page(folder: Path) -> None:
    from benchmarks.figures.page import PAGE, page

    files = {run.name: folder / f"{run.name}.json" for run in RUNS}
    results = {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}
    (folder / PAGE).write_text(page(results, FOLDER))


if __name__ == "__main__":
    main()
