"""What the blend's lists are at each diversity, beside those at 0."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.training.plots import value_of
from benchmarks.figures.marks import Result
from benchmarks.figures.runs import DEMO, SMALL

_HEADER = (
    "data",
    "diversity",
    "nDCG, and its change with 95 %",
    "newcomers' nDCG",
    "coverage",
    "outside the head",
    "niche",
    "primary genres",
    "intra-list diversity",
)


def trade_table(results: Mapping[str, Result]) -> Iterator[str]:
    """The lines of the table, as Markdown, of the data sets that were run; ``results`` by the run's name."""
    yield f"| {' | '.join(_HEADER)} |"
    yield f"|{'---|' * len(_HEADER)}"
    for data in (SMALL, DEMO):
        if f"trade-{data}" in results:
            yield from _rows(data, results[f"trade-{data}"], results.get(f"newcomers-{data}"))


def _rows(data: str, trade: Result, newcomers: Result | None) -> Iterator[str]:
    arms = {name: arm for name, arm in trade["arms"].items() if arm["arm"] == "hybrid"}
    plain = next(iter(arms.values()))
    for name, arm in arms.items():
        cells = [
            data,
            f"{arm['diversity']:g}",
            _accuracy(plain, arm, trade["prices"].get(name)),
            _new(newcomers, name),
            _share(arm, "coverage", plain),
            f"{value_of(arm['tail_share']):.2%}",
            f"{value_of(arm['niche_share']):.2%}",
            f"{value_of(arm['primary_genres']):.1f}",
            f"{value_of(arm['intra_list_diversity']):.3f}",
        ]
        yield f"| {' | '.join(cells)} |"


def _accuracy(plain: Mapping[str, Any], arm: Mapping[str, Any], price: Mapping[str, float] | None) -> str:
    value = f"{value_of(arm['ndcg']):.4f}"
    if price is None:
        return value
    before = value_of(plain["ndcg"])
    low, middle, high = (f"{price[end] / before:+.1%}" for end in ("low", "value", "high"))
    return f"{value}, {middle} ({low} to {high})"


def _new(newcomers: Result | None, name: str) -> str:
    if newcomers is None:
        return "-"
    price = newcomers["prices"].get(name)
    before = value_of(newcomers["arms"]["hybrid"]["ndcg"])
    return f"{before:.4f}" if price is None else f"{price['value'] / before:+.1%}"


def _share(arm: Mapping[str, Any], measure: str, plain: Mapping[str, Any]) -> str:
    value, before = value_of(arm[measure]), value_of(plain[measure])
    return f"{value:.2%}" if arm is plain else f"{value:.2%}, {value / before - 1:+.0%}"
