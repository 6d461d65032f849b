"""Processes that act on experiments at once: of two acts that exclude each other one is refused."""

import json
from typing import Any

import pytest

from apps.accounts.models import User
from apps.experiments.models import Decision, Experiment
from apps.experiments.services import pause
from tests.experiments.setup import make_experiment, make_running
from tests.processes import run_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("servable")]

PAIRS = 8

# Prints the refusal of each act, empty where it was done.
ACT = """
from apps.accounts.models import User
from apps.core.errors import Conflict
from apps.experiments import services
boss, said = User.objects.get(username="boss"), []
for name, options in order:
    try:
        getattr(services, name)(by=boss, reason="a test", **options)
        said.append("")
    except Conflict as refusal:
        said.append(refusal.detail)
print(json.dumps(said))
"""


def act_at_once(*orders: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, ...]]:
    """What was said to each of the acts of one spot, one of each process."""
    said = [json.loads(printed) for printed in run_at_once(ACT, orders)]
    return list(zip(*said, strict=True))


def test_of_two_who_start_into_one_range_at_once_one_is_refused(boss: User) -> None:
    for spot in range(PAIRS):
        for name in "ab":
            place = {"range_start": spot / PAIRS, "range_end": (spot + 1) / PAIRS}
            make_experiment(f"{name}-{spot}", **place)
    orders = [[("start", {"key": f"{name}-{spot}"}) for spot in range(PAIRS)] for name in "ab"]
    for said in act_at_once(*orders):
        (refusal,) = (one for one in said if one)
        assert "choose a range beside it, or end it first." in refusal
    assert Experiment.objects.filter(state="running").count() == PAIRS
    assert Decision.objects.filter(kind="start").count() == PAIRS


def test_of_two_who_end_one_at_once_one_is_refused(boss: User) -> None:
    for spot in range(PAIRS):
        make_running(f"test-{spot}", range_start=spot / PAIRS, range_end=(spot + 1) / PAIRS)
    stops, backs = (
        [(name, {"key": f"test-{spot}"}) for spot in range(PAIRS)] for name in ("stop", "roll_back")
    )
    for spot, said in enumerate(act_at_once(stops, backs)):
        (refusal,) = (one for one in said if one)
        left = "completed" if refusal == said[1] else "rolled back"
        assert refusal == f"Test test-{spot} is {left}, not running or paused."
        assert Decision.objects.filter(experiment=f"test-{spot}").count() == 2


def test_of_two_who_undo_one_act_at_once_one_is_refused(boss: User) -> None:
    for spot in range(PAIRS):
        make_running(f"test-{spot}", range_start=spot / PAIRS, range_end=(spot + 1) / PAIRS)
        pause(key=f"test-{spot}", by=boss, reason="A look")
    acts = Decision.objects.filter(kind="pause").order_by("pk").values_list("pk", flat=True)
    order = [("undo", {"decision_id": pk}) for pk in acts]
    for said in act_at_once(order, order):
        assert sorted(said) == ["", "This was undone already."]
    assert set(Experiment.objects.values_list("state", flat=True)) == {"running"}
