"""The first test: made once, started when asked to, and what refuses it is said."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.algorithms.strategy import DEFAULT_BANDIT_ARMS
from apps.experiments.metrics import default_guardrails
from apps.experiments.models import Decision, Experiment
from apps.experiments.services import design_of
from apps.training.models import ModelVersion
from tests.experiments.setup import make_version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

KEY = "bandit-vs-hybrid"
TOO_LITTLE = "The last 14 days tell too little to say how long this takes."


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("deploy_ab_test", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def bandit_servable(servable: None) -> None:
    ModelVersion.objects.all().delete()
    make_version(arms=("hybrid", "popular", *DEFAULT_BANDIT_ARMS))


def test_makes_the_bandit_against_the_hybrid_as_a_draft() -> None:
    assert command() == f"{KEY} was made: it is a draft.\n"
    design = design_of(Experiment.objects.get(key=KEY, state="draft"))
    control, treatment = design.variants
    assert (control.name, control.weight, control.is_control) == ("control", 0.5, True)
    assert control.strategy == {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.5}
    assert (treatment.name, treatment.weight, treatment.is_control) == ("treatment", 0.5, False)
    arms = {"arms": list(DEFAULT_BANDIT_ARMS), "slots": 3, "diversity": 0.5}
    assert treatment.strategy == {"policy": "bandit", **arms}
    assert (design.goals, design.guardrails) == (("ctr", "success_rate"), default_guardrails())
    assert design.horizon_days == 28
    assert design.ramp == ({"coverage": 0.2, "hours": 24}, {"coverage": 1.0})


def test_the_second_time_it_changes_nothing_and_says_so() -> None:
    command()
    Experiment.objects.update(name="Ours", horizon_days=14)
    assert command() == f"{KEY} is there already, and is a draft: nothing was changed.\n"
    assert Experiment.objects.values_list("name", "horizon_days").get() == ("Ours", 14)


@pytest.mark.usefixtures("bandit_servable")
def test_starts_it_through_the_checklist() -> None:
    told = command("--start", "--reason", "A new site")
    assert told == f"{KEY} was made and started: it is running.\n"
    entry = Decision.objects.get(experiment=KEY)
    assert (entry.kind, entry.by, entry.reason) == ("start", "", "A new site")
    again = command("--start", "--reason", "Once more")
    assert again == f"{KEY} is there already, and is running: nothing was changed.\n"
    assert Decision.objects.count() == 1


@pytest.mark.usefixtures("bandit_servable")
def test_a_warning_takes_a_reason_and_leaves_the_draft() -> None:
    needed = f"^Bandit against hybrid needs a reason to start: {TOO_LITTLE}$"
    with pytest.raises(CommandError, match=needed):
        command("--start")
    assert Experiment.objects.get(key=KEY).state == "draft"
    assert command("--start", "--reason", "A new site") == f"{KEY} was started: it is running.\n"


def test_says_what_the_checklist_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    refused = "^Bandit against hybrid cannot start: Variant treatment cannot serve: .*"
    with pytest.raises(CommandError, match=refused):
        call_command("deploy_ab_test", "--start", "--reason", "now", "--json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    assert (told["state"], told["created"], told["started"]) == ("draft", True, False)
    assert told["refusal"].startswith("Bandit against hybrid cannot start: ")
