"""The project's marks, each beside the figure that a run gave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.algorithms.strategy import DEFAULT_DIVERSITY
from apps.training.plots import value_of
from benchmarks.figures.runs import DEMO, ML100K, SMALL

Result = Mapping[str, Any]
"""What ``manage.py evaluate --json`` printed."""
RERANKED = f"hybrid {DEFAULT_DIVERSITY:g}"
"""The hybrid at the diversity that lists have by default."""


@dataclass(frozen=True)
class Mark:
    """``figure`` of the run ``run`` lies from ``low`` to ``high``; ``shape`` formats it, and both ends."""

    what: str
    run: str
    figure: Callable[[Result], float]
    low: float | None = None
    high: float | None = None
    shape: str = ".4f"

    def is_met(self, figure: float) -> bool:
        # NaN, where there is no figure, meets nothing.
        above = self.low is None or figure >= self.low
        return above and (self.high is None or figure <= self.high) and figure == figure

    @property
    def asked(self) -> str:
        low = "" if self.low is None else f"{self.low:{self.shape}}"
        high = "" if self.high is None else f"{self.high:{self.shape}}"
        return f"{low} to {high}" if low and high else f"≥ {low}" if low else f"≤ {high}"


def _of(arm: str, measure: str) -> Callable[[Result], float]:
    return lambda result: value_of(result["arms"][arm][measure])


def _grown(measure: str) -> Callable[[Result], float]:
    """How much more of it the re-ranked hybrid has than the plain one, as a share; NaN over nothing."""

    def grown(result: Result) -> float:
        before = _of("hybrid", measure)(result)
        return _of(RERANKED, measure)(result) / before - 1 if before else float("nan")

    return grown


def _times(measure: str) -> Callable[[Result], float]:
    return lambda result: 1 + _grown(measure)(result)


def _unlike_hits(result: Result) -> float:
    return _of("serendipity", "serendipity")(result) / _of("serendipity", "precision")(result)


def _beside_best(result: Result) -> float:
    """Where the interval of the hybrid's nDCG less the best other arm's ends; below 0 it is the worse one."""
    differences = result["differences"]
    if result["best"] != "hybrid":
        return float(differences["hybrid"]["high"])
    return -float(max(differences.values(), key=lambda one: one["value"])["low"])


def _at_coverage(grown: float) -> Callable[[Result], float]:
    """The price in nDCG, as a share, of item_cf's least diversity at which coverage has grown so far; NaN
    where none gets there.
    """

    def price(result: Result) -> float:
        start = _of("item_cf", "coverage")(result), _of("item_cf", "ndcg")(result)
        rows = [name for name, arm in result["arms"].items() if arm["arm"] == "item_cf"]
        reached = (name for name in rows if _of(name, "coverage")(result) >= grown * start[0])
        first = next(reached, None)
        return float("nan") if first is None else _of(first, "ndcg")(result) / start[1] - 1

    return price


def _rmse(result: Result) -> float:
    return value_of(result["predictions"]["rmse"])


def _of_accuracy() -> Iterator[Mark]:
    yield Mark("als nDCG, MovieLens 100K", f"arms-{ML100K}", _of("als", "ndcg"), low=0.485)
    yield Mark("item_cf nDCG, MovieLens 100K", f"arms-{ML100K}", _of("item_cf", "ndcg"), low=0.475)
    yield Mark("svd nDCG, MovieLens 100K", f"arms-{ML100K}", _of("svd", "ndcg"), low=0.455)
    without = f"without-recency-{SMALL}"
    yield Mark("item_cf nDCG without recency, ml-latest-small", without, _of("item_cf", "ndcg"), low=0.128)
    yield Mark("als nDCG without recency, ml-latest-small", without, _of("als", "ndcg"), low=0.12)
    yield Mark("item_cf nDCG, ml-latest-small", f"arms-{SMALL}", _of("item_cf", "ndcg"), low=0.132)
    for run in (f"arms-{DEMO}", f"arms-{SMALL}", f"arms-{ML100K}", f"defaults-{ML100K}"):
        yield Mark(
            "hybrid's nDCG less the best other arm's: upper end of the interval", run, _beside_best, low=0
        )
    yield Mark("RMSE, MovieLens 100K", f"ratings-{ML100K}", _rmse, high=0.925)
    yield Mark("RMSE, ml-latest-small", f"ratings-{SMALL}", _rmse, high=0.86)


def _of_variety(data: str) -> Iterator[Mark]:
    at = f"at diversity {DEFAULT_DIVERSITY:g}, {data}"
    trade, of = f"trade-{data}", f"of the hybrid {at}"
    yield Mark(f"tail share {of}", trade, _grown("tail_share"), low=0.4, shape="+.0%")
    yield Mark(f"coverage {of}", trade, _grown("coverage"), low=0.6, shape="+.0%")
    yield Mark(f"primary genres {of}", trade, _of(RERANKED, "primary_genres"), low=6, high=8, shape=".1f")
    yield Mark(f"niche share, times that at 0, {of}", trade, _times("niche_share"), low=2, shape=".2f")
    yield Mark(f"nDCG {of}", trade, _grown("ndcg"), low=-0.05, shape="+.1%")
    yield Mark(
        f"nDCG of the hybrid with five ratings known {at}",
        f"newcomers-{data}",
        _grown("ndcg"),
        low=-0.05,
        shape="+.1%",
    )
    arms = f"arms-{data}"
    yield Mark(
        f"long_tail's long-tail share, {data}",
        arms,
        _of("long_tail", "long_tail_share"),
        low=0.9,
        shape=".0%",
    )
    yield Mark(f"serendipity's hits unlike what was liked, {data}", arms, _unlike_hits, low=0.5, shape=".0%")


def _of_frontier() -> Iterator[Mark]:
    """Beside plain damping of popularity on the same arm."""
    for grown, cost in ((1.59, -0.034), (2.0, -0.12)):
        what = f"item_cf's nDCG where diversity brings coverage x {grown:g}, small"
        yield Mark(what, f"trade-{SMALL}", _at_coverage(grown), low=cost, shape="+.1%")


MARKS = (*_of_accuracy(), *_of_variety(DEMO), *_of_variety(SMALL), *_of_frontier())


def marks_table(results: Mapping[str, Result], marks: Sequence[Mark] = MARKS) -> Iterator[str]:
    """The lines of the table, as Markdown; ``results`` by the name of the run."""
    yield "| what | run | figure | mark | |"
    yield "|---|---|---|---|---|"
    for mark in marks:
        if mark.run not in results:
            yield f"| {mark.what} | {mark.run} | - | {mark.asked} | not run |"
            continue
        figure = mark.figure(results[mark.run])
        met = "met" if mark.is_met(figure) else "missed"
        yield f"| {mark.what} | {mark.run} | {figure:{mark.shape}} | {mark.asked} | {met} |"
