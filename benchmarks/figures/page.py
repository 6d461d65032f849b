"""The page of all figures, made of the runs' results and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from apps.training.plots import draw_arms, draw_trade_offs
from apps.training.reporting import evaluation_tables
from benchmarks.figures.marks import Result, marks_table
from benchmarks.figures.runs import RUNS, Run
from benchmarks.figures.trades import trade_table

PAGE = "figures.md"
_HEAD = """\
# Figures

Made by `.venv/bin/python benchmarks/evaluation.py --small SMALL --films TMDB --ml100k ML100K`; the
measures are those of [evaluation](../evaluation.md). Each table comes from the command above it. SMALL
stands for the folder of ml-latest-small, TMDB for tables of TMDB (`--films` once for each), ML100K for
RecBole's folder of MovieLens 100K with its knowledge graph; the demo's ratings need no file. What each run
measured is beside this page, as JSON. A ± is a standard error over viewers.
"""


def draw(run: Run, result: Result, folder: Path) -> None:
    """The run's plot, as its command's own ``--plot`` draws it."""
    several = len({arm["diversity"] for arm in result["arms"].values()}) > 1
    (draw_trade_offs if several else draw_arms)(result, str(folder / run.plot_name))


def page(results: Mapping[str, Result], folder: str) -> str:
    """Markdown; ``results`` by the name of the run, ``folder`` as the commands name it."""
    return "\n".join(_lines(results, folder)) + "\n"


def _lines(results: Mapping[str, Result], folder: str) -> Iterator[str]:
    yield _HEAD
    yield from ("## Marks", "", *marks_table(results))
    yield from ("", "## What diversity trades", "", *trade_table(results))
    for run in RUNS:
        yield from ("", f"## {run.title}", "", f"`{run.command(folder)}`", "")
        if run.name not in results:
            yield "Not run."
            continue
        yield from evaluation_tables(results[run.name])
        if run.plot:
            yield from ("", f"![{run.title}]({run.plot_name})")
