"""Where charts draw what: by hand, on axes whose ends are known."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.charts import (
    Axis,
    Curve,
    Interval,
    Series,
    axis_over,
    curve_chart,
    day_chart,
    interval_chart,
)

DAYS = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)]


@pytest.mark.parametrize(
    ("values", "low", "high", "step"),
    [
        ([0.05, 0.15], 0.05, 0.15, 0.025),
        ([0.0, 1.0], 0.0, 1.0, 0.25),
        ([0.12, 0.13], 0.12, 0.13, 0.0025),
        ([0.031, 0.187], 0.0, 0.2, 0.05),
        ([-0.5, 1.7], 0.0, 1.0, 0.25),
    ],
)
def test_an_axis_ends_at_round_numbers(values: list[float], low: float, high: float, step: float) -> None:
    axis = axis_over(values)
    assert (axis.low, axis.high, axis.step) == pytest.approx((low, high, step))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_an_axis_holds_every_value(values: list[float]) -> None:
    axis = axis_over(values)
    assert axis.low <= min(values) + 1e-9
    assert axis.high >= max(values) - 1e-9
    assert 1 <= round((axis.high - axis.low) / axis.step) <= 6


def test_an_axis_needs_a_value() -> None:
    with pytest.raises(ValueError, match="empty"):
        axis_over([])


def test_what_lies_outside_is_at_the_nearer_end() -> None:
    axis = Axis(0.1, 0.3, 0.1)
    assert [axis.at(value) for value in (0.0, 0.2, 0.9)] == pytest.approx([0, 50, 100])


def test_dots_and_whiskers_lie_on_the_axis() -> None:
    chart = interval_chart(
        [
            Interval("a", 0.1, (0.05, 0.2), "10 %", is_main=True),
            Interval("b", None, None, "no verdict"),
            Interval("c", 0.25, None, "25 %"),
        ],
        guide=(0.15, "all"),
    )
    # From 5 to 25 %.
    assert [tick.label for tick in chart.ticks] == ["5%", "10%", "15%", "20%", "25%"]
    assert [tick.anchor for tick in chart.ticks] == ["start", "middle", "middle", "middle", "end"]
    assert [row.dot for row in chart.rows] == ["25.00%", "", "100.00%"]
    assert [row.whisker for row in chart.rows] == [("0.00%", "75.00%"), None, None]
    assert chart.guide is not None
    assert (chart.guide.x, chart.guide.label) == ("50.00%", "all")


def test_steps_of_a_quarter_have_the_decimals_that_they_need() -> None:
    chart = interval_chart([Interval("a", 0.05, (0.05, 0.15), "")])
    assert [tick.label for tick in chart.ticks] == ["5.0%", "7.5%", "10.0%", "12.5%", "15.0%"]


def test_a_curve_stands_on_its_foot_and_has_its_peak_near_the_top() -> None:
    curve = Curve("a", xs=[0.0, 0.5, 1.0], ys=[1.0, 4.0, 2.0], mean=0.5, ends=(0.25, 0.75), note="")
    (row,) = curve_chart([curve]).rows
    assert row.area == "0.00,100.00 0.00,76.00 50.00,4.00 100.00,52.00 100.00,100.00"
    assert (row.dot, row.whisker) == ("50.00%", ("25.00%", "75.00%"))


def test_a_line_breaks_where_a_day_has_no_value() -> None:
    series = Series("a", [0.0, 0.5, None, None, 1.0], "", others=[0.25] * 5, level=0.75)
    chart = day_chart(DAYS, [series], top=1.0)
    (row,) = chart.rows
    assert row.lines == ("0.00,100.00 25.00,50.00", "99.00,0.00 100.00,0.00")
    assert row.other_lines == ("0.00,75.00 25.00,75.00 50.00,75.00 75.00,75.00 100.00,75.00",)
    assert row.level == "25.00"
    assert [(tick.x, tick.label) for tick in chart.ticks] == [
        ("0.00%", "1 Mar"),
        ("50.00%", "3 Mar"),
        ("100.00%", "5 Mar"),
    ]


def test_a_single_day_is_a_dash_in_the_middle() -> None:
    chart = day_chart(DAYS[:1], [Series("a", [0.5], "")], top=1.0)
    assert chart.rows[0].lines == ("49.00,50.00 51.00,50.00",)
    assert [tick.label for tick in chart.ticks] == ["1 Mar"]


def test_rows_do_not_overlap_and_the_axis_is_below_them() -> None:
    chart = interval_chart([Interval(name, 0.1, None, "") for name in "abc"], guide=(0.2, "all"))
    tops = [row.top for row in chart.rows]
    assert all(below - above > chart.box_height for above, below in pairwise(tops))
    assert chart.rows[-1].box_y + chart.box_height <= chart.axis_y < chart.ticks_y < chart.height
