"""What a decision was made from is read from snapshots, kept, and judged again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.experiments.figures import by_age, by_day, by_segment, figures_of
from apps.experiments.models import Decision, Phase, Snapshot
from apps.experiments.plans import plan_of
from apps.experiments.services import judged, replay_decision, roll_up, stop
from tests.experiments.setup import make_running
from tests.experiments.test_life import assert_refused, last
from tests.experiments.traffic import show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]


def counted(clock: SimulatedClock, days: int = 3, **values: object) -> Phase:
    """A unit of each variant that comes back every day, clicks on the first of them, and is counted."""
    experiment = make_running("test", **{"goals": ("ctr", "clicked_units"), **values})
    units = {name: uuid4() for name in ("control", "treatment")}
    for day in range(days):
        for name, unit in units.items():
            show(experiment, name, unit=unit, at=clock.at, clicked=[1] if day == 0 else [])
        clock.move_by(timedelta(days=1))
    roll_up()
    return Phase.objects.get()


def test_figures_are_sums_over_units_by_metric_and_variant(clock: SimulatedClock) -> None:
    phase = counted(clock)
    found = figures_of(phase, plan_of(phase), now=clock.at)
    assert found.metrics["ctr"]["treatment"][:6] == (1, 1, 1, 9, 81, 9)
    assert found.metrics["clicked_units"]["control"][:2] == (1, 1)
    assert found.units(plan_of(phase)) == {"control": 1, "treatment": 1}
    assert found.days == 3.0
    assert sum(found.latencies["control"].values()) == 3


def test_looks_are_the_goals_at_the_end_of_each_full_day(clock: SimulatedClock) -> None:
    phase = counted(clock)
    found = figures_of(phase, plan_of(phase), now=clock.at)
    assert [look["ctr"]["treatment"][3] for look in found.looks] == [3, 6, 9]
    assert set(found.looks[0]) == {"ctr", "clicked_units"}
    later = figures_of(phase, plan_of(phase), now=clock.at + timedelta(days=60))
    assert (len(later.looks), later.looks[27]) == (28, found.looks[2]), "up to the horizon"
    first = figures_of(phase, plan_of(phase), now=phase.started_at + timedelta(hours=11))
    assert first.looks == (), "the first day is not over"


def test_an_ended_phase_stands_where_it_ended(clock: SimulatedClock, boss: User) -> None:
    phase = counted(clock)
    stop(key="test", by=boss, reason="Enough")
    phase.refresh_from_db()
    clock.move_by(timedelta(days=10))
    found = figures_of(phase, plan_of(phase), now=clock.at)
    assert (found.days, len(found.looks)) == (3.0, 3)
    assert last().figures["days"] == 3.0
    found = replay_decision(last().pk)
    assert (found.decision, found.verdict, found.differing) == (last(), last().verdict, [])


def test_results_are_read_in_three_queries(clock: SimulatedClock, django_assert_num_queries: object) -> None:
    phase = counted(clock)
    plan = plan_of(phase)
    with django_assert_num_queries(3):  # type: ignore[operator] # a fixture of pytest-django
        judged(phase, plan)
    for _ in range(20):
        show(phase.experiment, "control", at=clock.at, segment="power")
    roll_up()
    with django_assert_num_queries(3):  # type: ignore[operator]
        judged(phase, plan)


def test_results_are_told_apart_by_segment_day_and_age(clock: SimulatedClock) -> None:
    phase = counted(clock)
    assert by_segment(phase)["regular"]["ctr"]["control"][:2] == (1, 1)
    first = phase.started_at.date().toordinal()
    assert {step: of["control"][3] for step, of in by_day(phase, "ctr").items()} == {
        first: 3,
        first + 1: 6,
        first + 2: 9,
    }
    assert {age: of["treatment"][1] for age, of in by_age(phase, "ctr").items()} == {0: 1, 1: 0, 2: 0}


def test_units_are_counted_though_the_first_goal_is_newer_than_they(clock: SimulatedClock) -> None:
    phase = counted(clock)
    Snapshot.objects.filter(metric="ctr").delete()
    found, verdict = judged(phase, plan_of(phase))
    assert found.units(plan_of(phase)) == {"control": 1, "treatment": 1}
    assert verdict.sentence == "Wait: CTR unknown; SRM ok; day 4 of 28"


def test_a_replay_says_that_it_is_the_same(
    clock: SimulatedClock, boss: User, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(clock)
    stop(key="test", by=boss, reason="Enough")
    call_command("ab_replay", str(last().pk))
    said = f"test, decision {last().pk}: the same. {last().verdict['sentence']}\n"
    assert capsys.readouterr().out == said


def test_a_replay_says_what_differs(clock: SimulatedClock, boss: User) -> None:
    counted(clock)
    stop(key="test", by=boss, reason="Enough")
    decision = last()
    Decision.objects.filter(pk=decision.pk).update(verdict=decision.verdict | {"outcome": "ship"})
    with pytest.raises(
        CommandError, match=f"^Decision {decision.pk} comes out otherwise now: outcome differ"
    ):
        call_command("ab_replay", str(decision.pk))


def test_what_cannot_be_replayed_is_said(clock: SimulatedClock, boss: User) -> None:
    make_running("test")
    start = last().pk
    said = f"Decision {start} (started) was made from no figures: there is nothing to replay."
    assert_refused(said, replay_decision, decision_id=start)
    assert_refused("There is no decision 0.", replay_decision, decision_id=0)
    stop(key="test", by=boss, reason="Enough")
    plan = Phase.objects.get().plan
    plan["variants"][0]["strategy"]["arms"] = {"gone": 1.0}
    Phase.objects.update(plan=plan)
    said = (
        f"The plan of decision {last().pk} (stopped) names an arm or a metric that is gone: replay it"
        " with the program that made it."
    )
    assert_refused(said, replay_decision, decision_id=last().pk)
