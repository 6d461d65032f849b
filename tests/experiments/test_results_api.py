"""What experiments say, as programs and staff are told it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.experiments.models import Experiment
from apps.experiments.services import roll_up, stop
from tests.callers import bearer
from tests.experiments.setup import make_experiment, make_running
from tests.experiments.traffic import show
from tests.factories import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]
API = "/api/v1"
GUARDRAILS = {"fallback_rate": 0.01, "latency_p95": 0.15}


@pytest.fixture
def staff() -> dict[str, str]:
    return dict(bearer(make_staff(permissions=["experiments.view_experiment"])).headers)


def asked(client: Client, headers: dict[str, str], path: str) -> Any:
    answer = client.get(f"{API}/{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def make_counted(key: str = "test", *, days: float, n: int = 24, **values: Any) -> Experiment:
    """Began so many days ago, when ``n`` units of each variant saw a list of three films: each clicked one,
    every fourth of control and every second of the treatment two.
    """
    with time_machine.travel(timezone.now() - timedelta(days=days), tick=False):
        experiment = make_running(key, guardrails=GUARDRAILS, **values)
        for number in range(n):
            segment = "cold" if number < n // 3 else "power"
            for spot, (variant, turns) in enumerate({"control": 4, "treatment": 2}.items()):
                clicked = [1, 2] if number % turns == 0 else [1]
                unit = UUID(int=2 * number + spot + 1)
                show(experiment, variant, unit=unit, clicked=clicked, segment=segment)
    roll_up()
    return experiment


def test_the_results_tell_the_verdict_and_how_units_are_shared(client: Client, staff: dict[str, str]) -> None:
    make_counted(days=3)
    told = asked(client, staff, "experiments/test/results")
    assert (told["key"], told["phase"], told["day"], told["horizon_days"]) == ("test", 1, 4, 28)
    verdict = told["verdict"]
    assert (verdict["outcome"], verdict["variant"]) == ("wait", "")
    assert verdict["sentence"].startswith("Wait: CTR +20.0 %")
    assert verdict["why_not"] == ["Day 4 of 28.", "CTR of treatment may differ by chance alone."]
    assert told["sample_ratio"] == {
        "observed": {"control": 24, "treatment": 24},
        "expected": {"control": 24, "treatment": 24},
        "p_value": 1,
        "mismatch": False,
    }
    assert told["segment"] is None


def test_a_goal_has_both_values_and_its_effects(client: Client, staff: dict[str, str]) -> None:
    make_counted(days=3, goals=("ctr", "clicked_units", "clicks_per_unit"))
    goals = {one["metric"]: one for one in asked(client, staff, "experiments/test/results")["goals"]}
    ctr = goals["ctr"]
    assert (ctr["title"], ctr["variant"]) == ("CTR", "treatment")
    assert (ctr["control_value"], ctr["treatment_value"]) == pytest.approx((30 / 72, 36 / 72))
    assert (ctr["is_relative"], ctr["fixed"]["effect"]) == (True, pytest.approx(0.2))
    low, high = ctr["any_time"]["interval"]
    assert low < ctr["any_time"]["effect"] < high
    assert [(look["day"], look["is_crossed"]) for look in ctr["looks"]] == [(n, False) for n in (1, 2, 3)]
    assert goals["clicked_units"]["chance_to_beat"] == pytest.approx(0.5)
    assert ctr["chance_to_beat"] is ctr["adjusted"] is None
    assert goals["clicks_per_unit"]["adjusted"]["effect"] == pytest.approx(0.2)


@pytest.mark.parametrize("test", ["planned", "any_time"])
def test_the_fixed_test_is_read_at_the_horizon_and_not_before(
    client: Client, staff: dict[str, str], test: str
) -> None:
    experiment = make_counted(days=5.5, horizon_days=7, goals=("clicks_per_unit",), test=test)
    at = (experiment.started_at or timezone.now()) + timedelta(days=7)
    if test == "planned":  # reads full UTC days, of which the first began before it did
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    (goal,) = asked(client, staff, "experiments/test/results")["goals"]
    for name in ("fixed", "adjusted"):
        assert (goal[name]["p_value"], goal[name]["interval"]) == (None, None)
        assert goal[name]["readable_at"] == at.isoformat().replace("+00:00", "Z")
    with time_machine.travel(at + timedelta(minutes=1), tick=False):
        headers = dict(bearer(make_staff(permissions=["experiments.view_experiment"])).headers)
        (goal,) = asked(client, headers, "experiments/test/results")["goals"]
    assert 0 < goal["fixed"]["p_value"] < 1
    assert goal["fixed"]["interval"][0] < 0.2 < goal["fixed"]["interval"][1]


def test_one_that_ended_early_never_reaches_its_horizon(
    client: Client, staff: dict[str, str], boss: User
) -> None:
    make_counted(days=3)
    stop(key="test", by=boss, reason="enough")
    told = asked(client, staff, "experiments/test/results")
    fixed = told["goals"][0]["fixed"]
    assert (told["state"], fixed["readable_at"], fixed["p_value"]) == ("completed", None, None)


def test_a_guardrail_has_its_margin_and_its_harm(client: Client, staff: dict[str, str]) -> None:
    make_counted(days=3)
    found = {one["metric"]: one for one in asked(client, staff, "experiments/test/results")["guardrails"]}
    assert set(found) == set(GUARDRAILS)
    latency = found["latency_p95"]
    assert (latency["margin"], latency["is_broken"], latency["harm"]) == (0.15, False, pytest.approx(0))
    assert latency["control_value"] == latency["treatment_value"] == pytest.approx(10, rel=0.1)
    assert (found["fallback_rate"]["is_relative"], found["fallback_rate"]["harm"]) == (False, 0)


def test_a_segment_is_described_and_not_tested(client: Client, staff: dict[str, str]) -> None:
    make_counted(days=3)
    told = asked(client, staff, "experiments/test/results?segment=cold")["segment"]
    assert (told["name"], told["units"]) == ("cold", {"control": 8, "treatment": 8})
    (effect,) = told["effects"]
    assert effect == {
        "metric": "ctr",
        "variant": "treatment",
        "control_value": pytest.approx(5 / 12),
        "treatment_value": pytest.approx(6 / 12),
        "effect": pytest.approx(0.2),
    }
    nobody = asked(client, staff, "experiments/test/results?segment=regular")["segment"]
    assert nobody["units"] == {"control": 0, "treatment": 0}
    assert (nobody["effects"][0]["control_value"], nobody["effects"][0]["effect"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("draft/results", 404, "Test draft never ran: there is nothing to read."),
        ("draft/results?segment=old", 400, '"old" is not a valid choice.'),
        ("draft/results?n=1", 400, "There is no parameter 'n' here; there are: segment"),
    ],
)
def test_refuses_with_a_sentence(
    client: Client, staff: dict[str, str], path: str, status: int, detail: str
) -> None:
    make_experiment("draft")
    answer = client.get(f"{API}/experiments/{path}", headers=staff)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_those_that_run_are_told_in_a_line_each(client: Client, staff: dict[str, str]) -> None:
    make_counted("one", days=3, range_end=0.5)
    make_running("two", range_start=0.5)
    make_experiment("draft")
    told = asked(client, staff, "analytics/experiments")
    assert told["count"] == 2
    found = {one["key"]: one for one in told["results"]}
    one = asked(client, staff, "experiments/one/results")
    assert (found["one"]["sentence"], found["one"]["outcome"]) == (one["verdict"]["sentence"], "wait")
    assert found["one"]["sample_ratio"] == one["sample_ratio"]
    (effect,) = found["one"]["effects"]
    assert effect == {name: value for name, value in one["goals"][0].items() if name in effect}
    assert found["two"]["sentence"] == "Wait: CTR unknown; no units yet; day 1 of 28"
    assert found["two"]["effects"][0]["any_time"]["effect"] is None
