"""Charts of rows over one shared axis, worked out here and drawn by ``templates/core/chart.html``.

Across, everything is in per cent of the chart's width, and down in pixels, so that one chart fits a phone and
a desk with its text at full size. Curves are in a box of 100 by 100 that is stretched to its row. It needs no
script, and no style in the page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import ceil, floor, log10

SHARES = (0.0, 1.0)
DIFFERENCES = (-1.0, 1.0)
"""Of shares, or relative: beyond a doubling an interval says no more than that nothing is known."""
_N_STEPS = 4
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROUNDING = 1e-9
_TEXT_PX, _GAP_PX, _AXIS_PX = 20, 10, 24
_DOT_PX, _CURVE_PX, _LINE_PX = 20, 44, 52


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high`` by ``step``; ``high`` is the larger."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Where the value lies, 0 to 100; the nearer end for one outside."""
        part = (value - self.low) / (self.high - self.low)
        return 100 * min(max(part, 0.0), 1.0)


@dataclass(frozen=True)
class Tick:
    """``anchor`` is SVG's: which end of the label is at ``x``."""

    x: str
    label: str
    anchor: str


@dataclass(frozen=True)
class Row:
    """One row, ``top`` pixels down: a label with a note across from it, and what is drawn below them.

    Empty is what it does not have: ``area`` and ``lines`` are points of SVG, ``level`` is a height in the box
    of the curves, ``dot`` and ``whisker`` are places across.
    """

    label: str
    note: str
    top: int
    is_main: bool
    area: str = ""
    lines: tuple[str, ...] = ()
    other_lines: tuple[str, ...] = ()
    level: str = ""
    dot: str = ""
    whisker: tuple[str, str] | None = None

    @property
    def text_y(self) -> int:
        return self.top + _TEXT_PX - 6

    @property
    def box_y(self) -> int:
        return self.top + _TEXT_PX

    @property
    def dot_y(self) -> int:
        """The middle of a row of dots; the foot of a row with a curve."""
        return self.box_y + (_CURVE_PX if self.area else _DOT_PX // 2)


@dataclass(frozen=True)
class Chart:
    """``box_height`` is that of each row's curves, ``guide`` a value that all rows are held against."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    box_height: int
    guide: Tick | None = None

    @property
    def axis_y(self) -> int:
        return self.height - _AXIS_PX

    @property
    def ticks_y(self) -> int:
        return self.height - 8


@dataclass(frozen=True)
class Interval:
    """A value with its interval; either may be unknown."""

    label: str
    value: float | None
    ends: tuple[float, float] | None
    note: str
    is_main: bool = False


@dataclass(frozen=True)
class Curve:
    """A density ``ys`` at ``xs``, with its mean and an interval. Each is drawn as high as the others."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    mean: float
    ends: tuple[float, float]
    note: str
    is_main: bool = False


@dataclass(frozen=True)
class Series:
    """Values of each day, 0 up; None is a day without one. ``others`` are drawn thin, ``level`` dashed."""

    label: str
    values: Sequence[float | None]
    note: str
    others: Sequence[float | None] = ()
    level: float | None = None


def axis_over(values: Iterable[float], within: tuple[float, float] = SHARES) -> Axis:
    """An axis that holds the values, as far as they are ``within``, and ends at round numbers. Raises
    ``ValueError`` for no values.
    """
    known = list(values)
    low, high = max(min(known), within[0]), min(max(known), within[1])
    step = _step(max(high - low, 1e-4) / _N_STEPS)
    low = step * floor(low / step + _ROUNDING)
    high = max(step * ceil(high / step - _ROUNDING), low + step)
    return Axis(low, high, step)


def interval_chart(
    intervals: Sequence[Interval],
    *,
    guide: tuple[float, str] | None = None,
    within: tuple[float, float] = SHARES,
) -> Chart:
    """A dot and a whisker for each; ``guide`` is a value and its name. What is beyond ``within`` stands at
    its end. Raises ``ValueError`` when nothing is known of any.
    """
    known = [one.value for one in intervals if one.value is not None]
    known += [end for one in intervals for end in one.ends or ()]
    axis = axis_over([*known, guide[0]] if guide else known, within)
    rows = [
        Row(
            label=one.label,
            note=one.note,
            top=top,
            is_main=one.is_main,
            dot="" if one.value is None else _across(axis, one.value),
            whisker=_whisker(axis, one.ends),
        )
        for one, top in zip(intervals, _tops(len(intervals), _DOT_PX, bool(guide)), strict=True)
    ]
    return _chart(rows, _value_ticks(axis), _DOT_PX, _tick(axis.at(guide[0]), guide[1]) if guide else None)


def curve_chart(curves: Sequence[Curve]) -> Chart:
    """A density for each. Raises ``ValueError`` for none."""
    axis = axis_over(x for curve in curves for x in (*curve.xs, *curve.ends))
    rows = [
        Row(
            label=curve.label,
            note=curve.note,
            top=top,
            is_main=curve.is_main,
            area=_area(axis, curve),
            dot=_across(axis, curve.mean),
            whisker=_whisker(axis, curve.ends),
        )
        for curve, top in zip(curves, _tops(len(curves), _CURVE_PX, False), strict=True)
    ]
    return _chart(rows, _value_ticks(axis), _CURVE_PX)


def day_chart(days: Sequence[date], series: Sequence[Series], *, top: float) -> Chart:
    """A line for each over at least one day; a row is as high as ``top``, above 0."""
    rows = [
        Row(
            label=one.label,
            note=one.note,
            top=row_top,
            is_main=True,
            lines=_lines(one.values, top),
            other_lines=_lines(one.others, top),
            level="" if one.level is None else f"{_down(one.level, top):.2f}",
        )
        for one, row_top in zip(series, _tops(len(series), _LINE_PX, False), strict=True)
    ]
    return _chart(rows, _day_ticks(days), _LINE_PX)


def _chart(rows: Sequence[Row], ticks: tuple[Tick, ...], box_height: int, guide: Tick | None = None) -> Chart:
    height = rows[-1].top + _TEXT_PX + box_height + _GAP_PX + _AXIS_PX
    return Chart(tuple(rows), ticks, height, box_height, guide)


def _tops(n: int, box_height: int, has_guide: bool) -> list[int]:
    start = _TEXT_PX if has_guide else 0
    return [start + spot * (_TEXT_PX + box_height + _GAP_PX) for spot in range(n)]


def _step(least: float) -> float:
    """The smallest round number that is at least so large."""
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - _ROUNDING))


def _value_ticks(axis: Axis) -> tuple[Tick, ...]:
    decimals = max(0, ceil(-log10(axis.step * 100) - _ROUNDING))
    if round(axis.step * 100, decimals) < axis.step * 100 * (1 - _ROUNDING):
        decimals += 1
    n = round((axis.high - axis.low) / axis.step)
    values = [axis.low + spot * axis.step for spot in range(n + 1)]
    return tuple(_tick(axis.at(value), f"{value:.{decimals}%}") for value in values)


def _day_ticks(days: Sequence[date]) -> tuple[Tick, ...]:
    """The first day, the one in the middle and the last, as far as these differ."""
    last = len(days) - 1
    spots = sorted({0, last // 2, last}) if last > 1 else sorted({0, last})
    return tuple(_tick(_day_at(spot, len(days)), f"{days[spot].day} {days[spot]:%b}") for spot in spots)


def _tick(x: float, label: str) -> Tick:
    anchor = "start" if x < 8 else "end" if x > 92 else "middle"
    return Tick(f"{x:.2f}%", label, anchor)


def _across(axis: Axis, value: float) -> str:
    return f"{axis.at(value):.2f}%"


def _whisker(axis: Axis, ends: tuple[float, float] | None) -> tuple[str, str] | None:
    return (_across(axis, ends[0]), _across(axis, ends[1])) if ends else None


def _area(axis: Axis, curve: Curve) -> str:
    highest = max(curve.ys)
    over = [(axis.at(x), 100 - 96 * y / highest) for x, y in zip(curve.xs, curve.ys, strict=True)]
    return _points([(over[0][0], 100.0), *over, (over[-1][0], 100.0)])


def _lines(values: Sequence[float | None], top: float) -> tuple[str, ...]:
    """One for each run of days that have a value; a day alone is a short dash."""
    lines = []
    for is_known, run in groupby(enumerate(values), key=lambda one: one[1] is not None):
        if is_known:
            points = [(_day_at(spot, len(values)), _down(value or 0.0, top)) for spot, value in run]
            if len(points) == 1:
                x, y = points[0]
                points = [(max(x - 1, 0.0), y), (min(x + 1, 100.0), y)]
            lines.append(_points(points))
    return tuple(lines)


def _day_at(spot: int, n: int) -> float:
    return 100 * spot / (n - 1) if n > 1 else 50.0


def _down(value: float, top: float) -> float:
    return 100 - 100 * min(value / top, 1.0)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
