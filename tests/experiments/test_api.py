"""``/experiments``: how they are set up, and where they stand."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.services import advance, approve, design_of, import_designs, pause, roll_up, stop
from tests.callers import bearer
from tests.experiments.setup import make_experiment, make_running, make_running_recipes
from tests.experiments.traffic import show
from tests.factories import make_api_key, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]
API = "/api/v1"
RAMP = ({"coverage": 0.2, "hours": 24, "units": 5}, {"coverage": 0.5, "approval": True}, {"coverage": 1.0})


@pytest.fixture
def staff() -> dict[str, str]:
    return dict(bearer(make_staff(permissions=["experiments.view_experiment"])).headers)


def asked(client: Client, headers: dict[str, str], path: str) -> Any:
    answer = client.get(f"{API}/{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_list_says_where_each_experiment_stands(client: Client, staff: dict[str, str]) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        make_running("test", range_end=0.5, ramp=RAMP, horizon_days=14)
    make_experiment("later", name="Later", weights={"control": 0.25, "treatment": 0.75})
    told = asked(client, staff, "experiments")
    assert (told["count"], told["next"], told["previous"]) == (2, None, None)
    later, test = told["results"]
    assert (test["key"], test["name"], test["layer"]) == ("test", "Test test", "strategy")
    assert test["state"] == "running"
    assert (test["range"], test["coverage"]) == ({"start": 0, "end": 0.5}, 0.2)
    assert (test["day"], test["horizon_days"], test["ended_at"]) == (4, 14, None)
    assert (later["state"], later["coverage"], later["day"], later["horizon_days"]) == ("draft", 0, None, 28)
    assert later["variants"] == [
        {"name": "control", "weight": 0.25, "is_control": True},
        {"name": "treatment", "weight": 0.75, "is_control": False},
    ]


def test_the_list_is_filtered_by_state_and_refuses_what_it_does_not_know(
    client: Client, staff: dict[str, str]
) -> None:
    make_experiment("draft")
    make_running("runs")
    told = asked(client, staff, "experiments?state=running&page_size=1")
    assert [one["key"] for one in told["results"]] == ["runs"]
    for query, said in {
        "colour=red": "There is no parameter 'colour' here; there are: page, page_size, state",
        "state=lost": '"lost" is not a valid choice.',
    }.items():
        answer = client.get(f"{API}/experiments?{query}", headers=staff)
        assert (answer.status_code, answer.json()["detail"]) == (400, said)


def test_a_paused_or_ended_experiment_covers_nobody(
    client: Client, staff: dict[str, str], boss: User
) -> None:
    make_running("test")
    assert asked(client, staff, "experiments/test")["coverage"] == 1
    pause(key="test", by=boss, reason="a look")
    told = asked(client, staff, "experiments/test")
    assert (told["coverage"], told["ramp"]["coverage"]) == (0, 1)
    stop(key="test", by=boss, reason="enough")
    told = asked(client, staff, "experiments/test")
    assert (told["state"], told["coverage"], told["ramp"]) == ("completed", 0, None)
    assert told["phase"]["ended_at"] == told["ended_at"] is not None


def test_one_experiment_is_told_as_it_was_designed_and_frozen(
    client: Client, staff: dict[str, str], boss: User
) -> None:
    experiment = make_running("test", hypothesis="More", segments=("cold",), reason="To see")
    told = asked(client, staff, "experiments/test")
    phase = Phase.objects.get()
    assert (told["phase"]["number"], told["phase"]["digest"]) == (1, phase.digest)
    assert (told["phase"]["plan"], told["phase"]["reason"]) == (phase.plan, "To see")
    assert (told["version"], told["created_by"], told["planned_units"]) == (2, experiment.created_by, None)
    again = {"schema": 1, "experiments": [told["design"] | {"key": "again"}]}
    import_designs(again, by=boss)
    design = design_of(Experiment.objects.get(key="again"))
    assert design.variants == design_of(experiment).variants
    assert (design.hypothesis, design.segments) == ("More", ("cold",))


def test_the_ramp_says_what_it_waits_for_and_what_holds_it(
    client: Client, staff: dict[str, str], boss: User
) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=30), tick=False):
        experiment = make_running("test", ramp=RAMP)
        show(experiment, "control")
    roll_up()
    ramp = asked(client, staff, "experiments/test")["ramp"]
    assert (ramp["step"], ramp["n_steps"], ramp["coverage"]) == (1, 3, 0.2)
    assert ramp["waits_for"] == ["4 of 5 units"]
    assert ramp["held_by"] == ["No unit of treatment was counted yet: see whether its lists are served."]
    advance(key="test", units=5, by=boss)
    assert asked(client, staff, "experiments/test")["ramp"]["waits_for"] == ["somebody's approval"]
    approve(key="test", by=boss)
    ramp = asked(client, staff, "experiments/test")["ramp"]
    assert (ramp["step"], ramp["coverage"], ramp["waits_for"]) == (2, 0.5, [])


def test_the_ledger_tells_the_newest_fifty_entries(client: Client, staff: dict[str, str], boss: User) -> None:
    experiment = make_running("test")
    Decision.objects.bulk_create(
        Decision(experiment=experiment, phase=1, kind="hold", at=timezone.now(), acted=False, reason=str(n))
        for n in range(55)
    )
    pause(key="test", by=boss, reason="a look")
    ledger = asked(client, staff, "experiments/test")["ledger"]
    assert (len(ledger), ledger[1]["reason"], ledger[1]["acted"]) == (50, "54", False)
    entry = Decision.objects.get(kind="pause")
    at = entry.at.isoformat().replace("+00:00", "Z")
    said = {"kind": "pause", "at": at, "by": "boss", "reason": "a look", "acted": True}
    assert ledger[0] == {"id": entry.pk, "phase": 1, "step": 1, **said}


def test_an_arm_that_is_gone_is_told_and_breaks_nothing(client: Client, staff: dict[str, str]) -> None:
    make_running("test", ramp=RAMP)
    phase = Phase.objects.get()
    phase.plan["variants"][1]["strategy"]["arms"] = {"oracle": 1.0}
    phase.save(update_fields=["plan"])
    said = (
        "Test test was planned with an arm or a metric that this program does not know any more: what it"
        " counted cannot be read."
    )
    assert asked(client, staff, "experiments/test")["ramp"]["held_by"] == [said]
    (running,) = asked(client, staff, "analytics/experiments")["results"]
    assert (running["sentence"], running["outcome"], running["effects"]) == (said, None, [])
    answer = client.get(f"{API}/experiments/test/results", headers=staff)
    assert (answer.status_code, answer.json()["detail"]) == (409, said)


@pytest.mark.parametrize("path", ["experiments/none", "experiments/none/results"])
def test_says_that_there_is_no_such_experiment(client: Client, staff: dict[str, str], path: str) -> None:
    answer = client.get(f"{API}/{path}", headers=staff)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no experiment 'none'.")


def test_a_key_with_the_scope_reads_them_all(client: Client) -> None:
    make_running("test")
    key = {"Authorization": f"Api-Key {make_api_key('analytics.read')[1]}"}
    for path in ("experiments", "experiments/test", "experiments/test/results", "analytics/experiments"):
        asked(client, key, path)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("experiments", 8),
        ("experiments/test-0", 12),
        ("experiments/test-0/results?segment=cold", 11),
        ("analytics/experiments", 10),
    ],
)
def test_queries_do_not_grow_with_experiments_and_units(
    client: Client, staff: dict[str, str], path: str, most: int
) -> None:
    counts = []
    for number in range(2):
        make_running(f"test-{number}", range_start=number / 2, range_end=(number + 1) / 2)
        for _ in range(3):
            show(Experiment.objects.get(key=f"test-{number}"), "treatment", clicked=[1])
        if number:
            make_running_recipes("across", recipes=["standard", "other"])
        roll_up()
        with CaptureQueriesContext(connection) as captured:
            asked(client, staff, path)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= most
