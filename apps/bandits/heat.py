"""What a bandit believes, as a page and as a spreadsheet show it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from apps.bandits.reading import state_of
from apps.core.admin.sheets import Column, Sheet, count, share

N_SHADES = 5
"""Steps of colour above none, as the style sheet has them."""
COLUMNS = (
    "time_of_day day_type user_segment genre_saturation session_position arm shown successes alpha beta mean "
    "low high p_best share"
).split()

Parts = Mapping[str, str]
"""Values that a context must have, by part."""
ANY: Parts = {}

ARM_COLUMNS = (
    Column.text("Arm", "arm"),
    Column("Films shown", ("shown",), count),
    Column("Successes", ("successes",), count),
    Column("Rate", ("rate",), share),
    Column("Drawn first lately", ("share",), share),
    Column("Contexts where likeliest best", ("n_best",), count),
)


@dataclass(frozen=True)
class Cell:
    """``shade`` is 0 to ``N_SHADES``, by the mean's place between the lowest and the highest of its row."""

    mean: str
    interval: str
    shown: int
    shade: int
    is_best: bool


@dataclass(frozen=True)
class Row:
    """``query`` names the context in an address."""

    context: str
    query: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class ArmTotal:
    name: str
    shown: int
    successes: int
    rate: float | None
    share: float
    n_best: int


@dataclass(frozen=True)
class HeatMap:
    """``arms`` are over all contexts, ``rows`` those that were asked for."""

    arms: tuple[ArmTotal, ...]
    rows: tuple[Row, ...]


def heat_map(version: int, parts: Parts = ANY) -> HeatMap:
    """Contexts in which most was shown come first. Two queries."""
    state = state_of(version)
    every = [_row(context) for context in state["contexts"]]
    arms = tuple(_total(state, every, spot, arm) for spot, arm in enumerate(state["arms"]))
    wanted = [row for row, context in zip(every, state["contexts"], strict=True) if _has(context, parts)]
    wanted.sort(key=lambda row: -sum(cell.shown for cell in row.cells))
    return HeatMap(arms, tuple(wanted))


def arms_sheet(found: HeatMap, csv_url: str) -> Sheet:
    """The arms over all contexts."""
    fields = ("shown", "successes", "rate", "share", "n_best")
    rows = [{"arm": arm.name, **{name: getattr(arm, name) for name in fields}} for arm in found.arms]
    return Sheet("All contexts together", ARM_COLUMNS, rows, csv_url)


def table_rows(version: int, parts: Parts = ANY) -> Iterator[Mapping[str, object]]:
    """A row for each context and arm, by ``COLUMNS``. Two queries."""
    for context in filter(lambda context: _has(context, parts), state_of(version)["contexts"]):
        for arm, cell in context["arms"].items():
            yield {**context["context"], "arm": arm, **cell}


def _has(context: Mapping[str, Any], parts: Parts) -> bool:
    return all(context["context"][part] == value for part, value in parts.items())


def _row(context: Mapping[str, Any]) -> Row:
    cells = list(context["arms"].values())
    means = [cell["mean"] for cell in cells]
    low, spread = min(means), max(means) - min(means)
    best = max(cell["p_best"] for cell in cells)
    return Row(
        context=", ".join(context["context"].values()),
        query=urlencode(context["context"]),
        cells=tuple(
            Cell(
                mean=f"{cell['mean']:.1%}",
                interval=f"{cell['low']:.1%} to {cell['high']:.1%}",
                shown=cell["shown"],
                shade=round(N_SHADES * (cell["mean"] - low) / spread) if spread > 0 else 0,
                is_best=cell["p_best"] == best,
            )
            for cell in cells
        ),
    )


def _total(state: Mapping[str, Any], rows: Sequence[Row], spot: int, arm: str) -> ArmTotal:
    cells = [context["arms"][arm] for context in state["contexts"]]
    shown, successes = (sum(cell[name] for cell in cells) for name in ("shown", "successes"))
    return ArmTotal(
        name=arm,
        shown=shown,
        successes=successes,
        rate=successes / shown if shown else None,
        share=state["first_draw_shares"][arm],
        n_best=sum(row.cells[spot].is_best for row in rows),
    )
