"""What runs is watched: harm is rolled back, what cannot be trusted is held, all else goes on in time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.experiments.metrics import METRICS
from apps.experiments.models import Decision, Experiment, LatencyDay, Phase, Snapshot
from apps.experiments.services import (
    approve,
    pause,
    replay_decision,
    resume,
    roll_up,
    stop,
    undo,
    watch,
)
from apps.experiments.services.evidence import Replay
from tests.experiments.setup import make_running
from tests.experiments.test_life import last, ledger, standing, state
from tests.experiments.traffic import show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

RAMP = ({"coverage": 0.1, "hours": 24}, {"coverage": 0.5, "hours": 24}, {"coverage": 1.0})
UNITS = ("control", "treatment")


def count(
    clicked: Sequence[float] = (200, 200), *, units: Sequence[float] = (2000, 2000), **values: Any
) -> None:
    """What the rollup keeps of the experiment's first day: units, of which so many click, each one film."""
    phase = Phase.objects.get(ended_at=None)
    for variant, n, top in zip(UNITS, units, clicked, strict=True):
        row = {"n": n, "top": top, "top_squares": top, "bottom": n, "bottom_squares": n, "products": top}
        for name in ("ctr", "clicked_units", "lists_per_unit"):
            key = {"experiment": phase.experiment, "phase": phase.number, "axis": "day", "metric": name}
            key |= {"variant": variant, "step": phase.started_at.date().toordinal(), **values}
            Snapshot.objects.update_or_create(**key, defaults=row)


def running(**values: Any) -> Experiment:
    return make_running("test", **{"guardrails": {"ctr": 0.15}, "ramp": RAMP, "horizon_days": 28, **values})


def test_harm_is_rolled_back_with_the_figures_that_say_so() -> None:
    running()
    count((400, 200))
    assert watch() == 1
    assert (state(), last().kind, last().by) == ("rolled_back", "roll_back", "")
    assert last().reason == last().verdict["sentence"]
    assert last().reason.startswith("Roll treatment back: CTR -50.0 %, always-valid 95 % [-")
    assert last().figures["metrics"]["ctr"]["control"][:2] == [2000, 400]
    assert watch() == 0


def test_a_dry_run_says_once_what_it_would_do() -> None:
    running(dry_run=True)
    count((400, 200))
    assert [watch(), watch()] == [1, 0]
    assert (state(), last().kind, last().acted, standing()[0]) == ("running", "roll_back", False, 0)
    count((400, 190))
    assert watch() == 0, "the same, of other numbers"


def test_a_ramp_goes_on_after_its_time_and_a_late_clock_skips_no_step(clock: SimulatedClock) -> None:
    running()
    count()
    assert watch() == 0
    clock.move_by(timedelta(hours=24))
    assert [watch(), watch()] == [1, 0]
    said = "Step 1 was held for what it asks, and no guardrail is broken: covers 50% now."
    assert (last().kind, last().step, last().reason) == ("advance", 1, said)
    clock.move_by(timedelta(days=20))
    count((200, 201))
    assert [watch(), watch()] == [1, 0]
    assert last().reason == "No list of control was counted since step 2 began."
    count((201, 201))
    assert [watch(), watch(), standing()[0]] == [1, 0, 2]
    assert [kind for kind, *_ in ledger()] == ["start", "advance", "hold", "advance"]


def test_a_step_that_was_taken_back_is_not_gone_on_to_until_somebody_says_so(boss: User) -> None:
    running(ramp=({"coverage": 0.1, "units": 1000}, {"coverage": 1.0}))
    count()
    assert watch() == 1
    undo(decision_id=last().pk, by=boss, reason="Too fast")
    assert [watch(), standing()[0]] == [0, 0]
    approve(key="test", by=boss)
    assert [watch(), standing()[0]] == [1, 1]


def test_what_is_surely_worse_covers_no_more(clock: SimulatedClock) -> None:
    """Of a guardrail that says nothing of clicks."""
    running(guardrails={"empty_rate": 0.01}, goals=("clicked_units",), test="any_time")
    clock.move_by(timedelta(hours=24))
    count((600, 300))
    assert [watch(), standing()[0]] == [1, 0]
    assert last().kind == "hold"
    assert last().reason.startswith("Keep control: Units that click -50.0 %")


def test_a_variant_that_fails_on_every_list_is_rolled_back() -> None:
    experiment = running(ramp=(), guardrails={"fallback_rate": 0.01})
    for number in range(300):
        show(experiment, UNITS[number % 2], degraded="scoring_failed" if number % 2 else "", n=1)
    roll_up()
    assert watch() == 1
    assert (state(), last().verdict["variant"]) == ("rolled_back", "treatment")
    assert last().reason.startswith("Roll treatment back: Fallback +100.0 points, always-valid 95 % [+")


def test_a_variant_that_loses_its_units_and_fails_is_rolled_back_all_the_same() -> None:
    running()
    count((800, 40), units=(2000, 1000))
    assert watch() == 1
    assert state() == "rolled_back"
    assert "; SRM alarm; day 1 of 28" in last().reason


def test_only_what_was_taken_back_is_overruled(boss: User) -> None:
    running(ramp=(), guardrails={"ctr": 0.15, "clicked_units": 0.15})
    count((400, 200))
    Snapshot.objects.filter(metric="clicked_units", variant="treatment").update(top=400, top_squares=400)
    assert watch() == 1
    undo(decision_id=last().pk, by=boss, reason="Clicks were not logged")
    assert [watch(), state(), last().acted] == [1, "running", False]
    count((400, 200))
    assert [watch(), state()] == [1, "rolled_back"]
    assert last().reason.startswith("Roll treatment back: Units that click -50.0 %")


def test_units_that_a_step_waits_for_are_those_that_were_counted() -> None:
    running(ramp=({"coverage": 0.1, "units": 4001}, {"coverage": 1.0}))
    count()
    assert watch() == 0
    count(units=(2001, 2000))
    assert watch() == 1


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (None, "No unit of control and treatment was counted yet: see whether its lists are served."),
        ({"units": (500, 0), "clicked": (50, 0)}, None),
        (
            {"clicked": (0, 0)},
            "CTR of treatment cannot be compared, as too little was counted in it or in control: wait for"
            " more, or take this guardrail away, which begins a new phase.",
        ),
    ],
)
def test_what_cannot_be_told_holds_the_ramp(
    counted: dict[str, Any] | None, said: str | None, clock: SimulatedClock
) -> None:
    running()
    if counted is not None:
        count(**counted)
    clock.move_by(timedelta(hours=24))
    assert [watch(), watch(), standing()[0]] == [1, 0, 0]
    assert last().kind == "hold"
    assert last().reason == (said or last().verdict["why_not"][0])
    count()
    assert [watch(), standing()[0]] == [1, 1]


def test_a_mismatch_is_said_though_no_units_were_said_before(clock: SimulatedClock) -> None:
    running(ramp=())
    count(units=(2000, 1500), clicked=(200, 150))
    assert [watch(), watch()] == [1, 0], "at the last step too"
    assert last().reason.startswith("Units are not shared out as planned (control 2,000 of 1,750 expected")
    count(units=(2000, 1499), clicked=(200, 150))
    assert watch() == 0


def test_a_hold_for_another_reason_is_said_too(clock: SimulatedClock) -> None:
    running()
    clock.move_by(timedelta(hours=24))
    watch()
    count(clicked=(0, 0))
    watch()
    count(units=(2000, 1500), clicked=(200, 150))
    watch()
    assert [kind for kind, *_ in ledger()] == ["start", "hold", "hold", "hold"]


def test_what_is_paused_or_ended_is_not_watched(boss: User, clock: SimulatedClock) -> None:
    running()
    count((400, 200))
    pause(key="test", by=boss, reason="A look")
    assert watch() == 0
    resume(key="test", by=boss, reason="Go on")
    assert watch() == 1
    undo(decision_id=last().pk, by=boss, reason="It was the network")
    stop(key="test", by=boss, reason="Enough")
    assert watch() == 0


def test_a_rollback_that_somebody_took_back_is_not_done_again(boss: User) -> None:
    running()
    count((400, 200))
    watch()
    undo(decision_id=last().pk, by=boss, reason="It was the network")
    assert [watch(), watch()] == [1, 0]
    assert (state(), last().kind, last().acted) == ("running", "roll_back", False)
    assert standing()[0] == 0


def test_one_that_cannot_be_judged_keeps_no_other_from_being_watched(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running(range_end=0.5)
    count((400, 200))
    make_running("gone", range_start=0.5, goals=("novelty",), guardrails={})
    monkeypatch.setattr("apps.experiments.reading.METRICS", {"ctr": METRICS["ctr"]} | _but("novelty"))
    assert watch() == 1
    assert (state("test"), state("gone")) == ("rolled_back", "running")
    assert "watch_failed experiment=gone" in caplog.text
    stop(key="gone", by=None, reason="Nobody can read it")
    assert (last().figures, state("gone")) == ({}, "completed")


def _but(name: str) -> dict[str, Any]:
    return {other: metric for other, metric in METRICS.items() if other != name}


def test_every_decision_of_the_rule_comes_out_the_same_again(clock: SimulatedClock) -> None:
    running(goals=("clicked_units", "ctr"), guardrails={"ctr": 0.15, "latency_p95": 0.2})
    phase = Phase.objects.get()
    for variant in UNITS:
        key = {"experiment": phase.experiment, "phase": 1, "variant": variant, "day": phase.started_at.date()}
        LatencyDay.objects.create(**key, counts={"100": 900, "120": 100})
    count((200, 210 + 1 / 3))
    clock.move_by(timedelta(days=5))
    watch()
    count((400, 200))
    watch()
    for decision in Decision.objects.filter(kind__in=("advance", "roll_back")):
        assert replay_decision(decision.pk) == Replay(decision, decision.verdict)
    assert state() == "rolled_back"


def test_watching_asks_as_often_whatever_the_number_of_days_and_segments(clock: SimulatedClock) -> None:
    running()
    count()
    few = n_queries()
    for day in range(20):
        count(step=Phase.objects.get().started_at.date().toordinal() + day, segment="regular")
    clock.move_by(timedelta(days=20, hours=-1))
    Phase.objects.update(plan=Phase.objects.get().plan | {"steps": [{"coverage": 1.0}]})
    assert n_queries() == few


def n_queries() -> int:
    with CaptureQueriesContext(connection) as captured:
        watch()
    return len(captured)
