"""How much of its range an experiment covers: the ledger decides, and a late clock skips nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import FieldError, InvalidInput
from apps.experiments.ramping import WHOLE, Entry, Standing, Step, standing, steps_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEPS = (Step(0.1, hours=24), Step(0.5, units=1000), Step(0.8, approval=True), Step(1.0, hours=24))
START = Entry("start", 0, NOON)


def after(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def stand(
    *entries: Entry, hours: float = 0.0, units: int | None = None, steps: Sequence[Step] = STEPS
) -> Standing:
    return standing(steps, [START, *entries], now=after(hours), units=units)


def test_a_ramp_begins_at_its_first_step_and_waits_there() -> None:
    found = stand(hours=6)
    waits = ("18.0 of 24 hours",)
    assert found == Standing(0, 0.1, NOON, is_last=False, waits_for=waits, held=timedelta(hours=6))
    assert not found.may_advance
    assert stand(hours=24).may_advance


def test_without_a_ramp_all_of_the_range_is_covered_at_once() -> None:
    found = stand(steps=WHOLE)
    assert (found.coverage, found.is_last, found.may_advance) == (1.0, True, False)
    assert steps_of([]) == WHOLE


def test_a_step_waits_for_time_units_and_approval_together() -> None:
    steps = (Step(0.1, hours=2, units=1500, approval=True), Step(1.0))
    said = ("1.5 of 2 hours", "1,400 of 1,500 units", "somebody's approval")
    assert stand(hours=0.5, units=100, steps=steps).waits_for == said
    approved = Entry("approve", 0, after(1))
    assert stand(approved, hours=2, units=1499, steps=steps).waits_for == ("1 of 1,500 units",)
    assert stand(approved, hours=2, units=1500, steps=steps).may_advance
    assert stand(approved, hours=2, steps=steps).may_advance, "units that are not asked for"


def test_a_clock_that_comes_late_finds_the_step_where_it_was() -> None:
    assert stand(hours=1_000_000).step == 0
    moved = Entry("advance", 1, after(500))
    assert stand(moved, hours=900).coverage == 0.5
    held = (Step(0.1, hours=24), Step(0.5, hours=24), Step(1.0))
    assert stand(moved, hours=510, steps=held).waits_for == ("14.0 of 24 hours",)


def test_an_approval_is_for_the_step_that_it_was_given_at() -> None:
    steps = (Step(0.1, approval=True), Step(0.5, approval=True), Step(1.0))
    approved, moved = Entry("approve", 0, after(1)), Entry("advance", 1, after(1))
    assert stand(approved, hours=1, steps=steps).may_advance
    # All within one instant of a clock.
    assert stand(approved, moved, hours=1, steps=steps).waits_for == ("somebody's approval",)
    assert stand(approved, moved, replace(approved, step=1), hours=1, steps=steps).may_advance


def test_no_time_goes_by_in_a_pause() -> None:
    pause, resume = Entry("pause", 0, after(10)), Entry("resume", 0, after(100))
    assert stand(pause, hours=90).waits_for == ("14.0 of 24 hours",)
    assert stand(pause, resume, hours=104).waits_for == ("10.0 of 24 hours",)
    assert stand(pause, resume, hours=114).may_advance
    assert stand(pause, replace(resume, kind="undo"), hours=114).may_advance


def test_an_end_that_is_undone_goes_on_with_the_step() -> None:
    """Of one that was paused before it ended it goes on when it is resumed."""
    approved = Entry("approve", 2, after(1))
    course = [Entry("advance", 2, after(1)), approved, Entry("pause", 2, after(2))]
    course += [Entry("stop", 2, after(3)), Entry("undo", 2, after(50))]
    steps = (*STEPS[:2], Step(0.8, hours=4, approval=True), STEPS[3])
    assert stand(*course, hours=90, steps=steps).waits_for == ("3.0 of 4 hours",)
    assert stand(*course, Entry("resume", 2, after(90)), hours=92, steps=steps).waits_for == (
        "1.0 of 4 hours",
    )


def test_an_undone_step_is_held_anew_and_asks_for_approval_anew() -> None:
    steps = (Step(0.1, hours=24, approval=True), Step(1.0))
    course = [Entry("approve", 0, after(1)), Entry("advance", 1, after(24)), Entry("undo", 0, after(30))]
    found = stand(*course, hours=31, steps=steps)
    assert (found.step, found.since) == (0, after(30))
    assert found.waits_for == ("23.0 of 24 hours", "somebody's approval")


def test_a_phase_that_begins_in_a_pause_is_held_from_when_it_runs() -> None:
    ledger = [Entry("phase", 0, NOON), Entry("resume", 0, after(100))]
    assert standing(STEPS, ledger, now=after(101)).waits_for == ("23.0 of 24 hours",)


def test_a_ledger_beyond_the_end_of_its_ramp_stands_at_the_last_step() -> None:
    found = stand(Entry("advance", 3, after(30)), steps=STEPS[:2])
    assert (found.step, found.coverage, found.is_last) == (1, 0.5, True)


RAMPS = st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8).map(
    lambda shares: tuple(Step(share, hours=1.0) for share in sorted(shares))
)


@given(steps=RAMPS, waits=st.lists(st.floats(0, 5_000), max_size=30))
def test_coverage_never_falls_along_starts_and_advances(steps: Sequence[Step], waits: list[float]) -> None:
    """A job that comes at any times takes one step at a time, each held for its hour."""
    ledger, hours, before = [START], 0.0, standing(steps, [START], now=NOON)
    for wait in waits:
        hours += wait
        found = standing(steps, ledger, now=after(hours))
        assert found == replace(before, waits_for=found.waits_for, held=found.held), (
            "time alone moves nothing"
        )
        if found.may_advance:
            assert after(hours) - found.since >= timedelta(hours=1)
            ledger.append(Entry("advance", found.step + 1, after(hours)))
        before = standing(steps, ledger, now=after(hours))
        assert (before.step - found.step) in (0, 1)
        assert before.coverage >= found.coverage


@pytest.mark.parametrize(
    ("ramp", "pointer", "detail"),
    [
        ("all", "/ramp", 'Give a list of up to 20 steps such as [{"coverage": 0.2}].'),
        ([{"coverage": 1}] * 21, "/ramp", 'Give a list of up to 20 steps such as [{"coverage": 0.2}].'),
        ([0.2], "/ramp/0", 'Give an object such as {"coverage": 0.2, "hours": 24}.'),
        ([{"hours": 24}], "/ramp/0", 'Give an object such as {"coverage": 0.2, "hours": 24}.'),
        ([{"coverage": 0}], "/ramp/0/coverage", "Coverage lies above 0 and up to 1."),
        ([{"coverage": 1.1}], "/ramp/0/coverage", "Coverage lies above 0 and up to 1."),
        (
            [{"coverage": 0.5}, {"coverage": 0.2}],
            "/ramp/1/coverage",
            "A step covers no less than the one before.",
        ),
    ],
)
def test_a_ramp_that_is_none_is_refused(ramp: Any, pointer: str, detail: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        steps_of(ramp)
    assert refusal.value.errors == (FieldError(pointer, detail),)


@pytest.mark.parametrize(
    ("key", "value"),
    [("share", 0.5), ("hours", "24"), ("hours", -1), ("units", 0.5), ("units", True), ("approval", 1)],
)
def test_a_step_that_says_something_else_is_refused(key: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        steps_of([{"coverage": 0.5, key: value}])
    assert refusal.value.detail == (
        "A step has coverage, hours, units, approval, numbers from 0 and approval true or false; "
        f"not this {key!r}."
    )


def test_all_that_is_wrong_with_a_ramp_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        steps_of([{"coverage": 2}, {"coverage": 0.5}, {"coverage": 0.4}, {"hours": 1}])
    assert [error.pointer for error in refusal.value.errors] == [
        "/ramp/0/coverage",
        "/ramp/3",
        "/ramp/2/coverage",
    ]
