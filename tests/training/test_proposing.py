"""A candidate recipe: proposed when the ratings held back say that it is better, and only then."""

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from apps.algorithms.evaluation import Difference
from apps.core.errors import Conflict, InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.policy import recipes_in_use
from apps.training import scratch, tasks
from apps.training.datasets import build_interactions
from apps.training.models import Recipe
from apps.training.services import proposing, request_run
from apps.training.services.evaluating import make_plan
from apps.training.services.proposing import candidate_parameters, describe, propose, why_not_better
from apps.training.services.recipes import candidate_name, save_candidate
from apps.training.services.tuning import Budget, Tuning, tune_arms
from recommender_site import env
from tests.house import make_house

pytestmark = pytest.mark.django_db

GAIN = Difference(0.02, 0.01, 0.03, 0.001)
WIDE = Difference(0.02, -0.01, 0.05, 0.2)
BARE = Difference(0.02, 0.001, 0.04, 0.04)
LOSS = Difference(-0.02, -0.03, -0.01, 0.001)
SLIP = Difference(-0.001, -0.02, 0.02, 0.9)


@pytest.fixture
def tuning(tmp_path: Path, settings: Any) -> Tuning:
    settings.ARTIFACT_DIR = tmp_path / "models"
    make_house()
    plan = make_plan(arms=["svd", "als", "hybrid"], k=3, protocol="within-viewer")
    return tune_arms(plan, build_interactions(), budget=Budget(2), predictor=True)


def with_changes(tuning: Tuning, predictor: Difference | None = None, **changes: Difference) -> Tuning:
    """The tuning as if these arms had changed so, and no others."""
    arms = [
        replace(one, after=replace(one.before), difference=changes[one.searched.name])
        if one.searched.name in changes
        else replace(one, after=one.before)
        for one in tuning.arms
    ]
    assert tuning.predictor
    found = {"svd": {"factors": 7}, "predictor": {"voters": 9}}
    return replace(
        tuning,
        arms=tuple(arms),
        predictor=replace(tuning.predictor, difference=predictor),
        parameters=found,
    )


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({"svd": GAIN}, ""),
        ({"svd": GAIN, "hybrid": WIDE}, ""),
        ({"svd": GAIN, "als": SLIP}, ""),
        ({}, "The search found no better parameters on the validation slice."),
        (
            {"svd": WIDE, "als": SLIP},
            "No arm is surely better on the ratings held back; the most has svd: +0.0200 "
            "(-0.0100 to +0.0500).",
        ),
        # Of three that changed one was to be expected.
        (
            {"svd": BARE, "als": SLIP, "hybrid": SLIP},
            "No arm is surely better on the ratings held back; the most has svd: +0.0200 "
            "(+0.0010 to +0.0400).",
        ),
        (
            {"svd": GAIN, "als": LOSS},
            "als is worse on the ratings held back: -0.0200 (-0.0300 to -0.0100).",
        ),
        (
            {"svd": GAIN, "hybrid": SLIP},
            "hybrid is worse on the ratings held back: -0.0010 (-0.0200 to +0.0200).",
        ),
    ],
)
def test_what_is_better(tuning: Tuning, changes: dict[str, Difference], why_not: str) -> None:
    assert why_not_better(with_changes(tuning, **changes)) == why_not


def test_proposes_a_recipe_that_serves_nobody(tuning: Tuning) -> None:
    better = with_changes(tuning, svd=GAIN)
    with time_machine.travel("2026-11-29T12:00:00Z", tick=False):
        recipe = propose(better, base="standard")
    assert recipe == Recipe.objects.get(name="standard-tuned-20261129")
    assert recipe.parameters == {"svd": {"factors": 7}}
    assert recipe.name not in recipes_in_use()
    entry = AuditEntry.objects.get(action="training.propose_recipe")
    assert (entry.before, entry.after["parameters"]) == ({}, recipe.parameters)


def test_proposes_nothing_where_nothing_is_better(tuning: Tuning) -> None:
    assert propose(with_changes(tuning, svd=WIDE), base="standard") is None
    assert not Recipe.objects.filter(name__contains="tuned").exists()


def test_says_what_a_candidate_rests_on(tuning: Tuning) -> None:
    better = with_changes(tuning, svd=GAIN)
    first, second = describe(better, "standard").splitlines()
    assert first == (
        f"Proposed by manage.py tune in the place of standard, from {tuning.n_ratings:,} ratings. Protocol "
        "within-viewer, seed 42; figures are of the part that the search never saw, with 95 % intervals."
    )
    assert second.startswith("svd: nDCG@3 0.")
    assert second.endswith(" after: +0.0200 (+0.0100 to +0.0300)")


def test_the_predictor_is_part_of_it_only_when_it_errs_less(tuning: Tuning) -> None:
    assert candidate_parameters(with_changes(tuning, LOSS, svd=GAIN))["predictor"] == {"voters": 9}
    assert "predictor" not in candidate_parameters(with_changes(tuning, SLIP, svd=GAIN))
    plan = replace(tuning.plan, parameters={"predictor": {"voters": 20}})
    kept = candidate_parameters(replace(with_changes(tuning, SLIP, svd=GAIN), plan=plan))
    assert kept["predictor"] == {"voters": 20}


def test_a_second_one_of_the_day_takes_the_place_of_the_first() -> None:
    first = save_candidate(base="standard", parameters={"svd": {"factors": 7}}, description="one")
    second = save_candidate(base="standard", parameters={"als": {"factors": 8}}, description="two")
    assert (second.pk, second.parameters, second.description) == (first.pk, {"als": {"factors": 8}}, "two")
    entry = AuditEntry.objects.filter(action="training.propose_recipe").order_by("pk").last()
    assert entry is not None
    assert entry.before == {"parameters": {"svd": {"factors": 7}}, "description": "one"}


def test_a_trained_one_stays_as_it_is() -> None:
    recipe = save_candidate(base="standard", parameters={"svd": {"factors": 7}}, description="one")
    request_run(recipe=recipe.name, trigger="test")
    with pytest.raises(Conflict) as refused:
        save_candidate(base="standard", parameters={}, description="two")
    assert refused.value.detail == (
        f"Recipe '{recipe.name}' was proposed today and is in use: it stays as it is."
    )


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("standard", "standard-tuned-20261129"),
        ("standard-tuned-20261122", "standard-tuned-20261129"),
        ("a" * 60, "a" * 45 + "-tuned-20261129"),
    ],
)
def test_is_called_after_its_base_and_the_day(base: str, name: str) -> None:
    assert candidate_name(base, date(2026, 11, 29)) == name


def test_the_command_says_why_there_is_none(tuning: Tuning) -> None:
    out = io.StringIO()
    words = ["--propose", "--trials", "1", "--k", "3", "--protocol", "within-viewer"]
    call_command("tune", *words, "--json", stdout=out)
    result = json.loads(out.getvalue())
    assert bool(result["proposed"]) is not bool(result["why_not"])


# --- Each week -----------------------------------------------------------------------------------


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, ...]]:
    """What was started in a process of its own; nothing is, here, and a recipe is proposed."""
    settings.TUNE_MIN_RATINGS = 0
    started: list[tuple[str, ...]] = []

    def run_command(environment: Any, *words: str, seconds: float) -> str:
        started.append(words)
        return '{"proposed": "standard-tuned-20261129", "why_not": ""}'

    monkeypatch.setattr(proposing, "run_command", run_command)
    return started


def test_each_week_a_process_searches_and_proposes(commands: list[tuple[str, ...]]) -> None:
    assert tasks.tune() == "standard-tuned-20261129"
    assert commands == [("tune", "--propose", "--minutes", "20", "--json")]


def test_it_says_why_nothing_is_proposed(monkeypatch: pytest.MonkeyPatch, commands: Any) -> None:
    answer = '{"proposed": "", "why_not": "No arm is surely better."}'
    monkeypatch.setattr(proposing, "run_command", lambda *words, seconds: answer)
    assert tasks.tune() == "No arm is surely better."


def test_it_says_what_was_refused(monkeypatch: pytest.MonkeyPatch, commands: Any) -> None:
    def refuse(*words: Any, seconds: float) -> str:
        raise InvalidInput("tune was stopped after 3540 seconds.")

    monkeypatch.setattr(proposing, "run_command", refuse)
    assert tasks.tune() == "tune was stopped after 3540 seconds."


def test_it_waits_for_a_fit(commands: list[tuple[str, ...]]) -> None:
    run = request_run(recipe="standard", trigger="test")
    assert tasks.tune() == f"Run {run.pk} is under way: one heavy job at a time."
    assert commands == []


def test_it_needs_ratings(commands: list[tuple[str, ...]], settings: Any) -> None:
    settings.TUNE_MIN_RATINGS = 1
    assert tasks.tune() == "0 ratings are fewer than TUNE_MIN_RATINGS, 1."
    assert commands == []


def test_it_can_be_switched_off(commands: list[tuple[str, ...]], settings: Any) -> None:
    settings.AUTO_UPDATE = False
    assert tasks.tune() == "AUTO_UPDATE is off"
    assert commands == []


def test_a_process_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(InvalidInput) as refused:
        scratch.run_command(env.for_child(), "check", seconds=0.001)
    assert refused.value.detail == "check was stopped after 0.001 seconds."
