from typing import Any

import pytest

from apps.experiments.models import ServingPolicy
from apps.training import tasks
from apps.training.models import Recipe, TrainingRun
from apps.training.services import request_run

pytestmark = pytest.mark.django_db


def test_the_nightly_fit_leaves_a_run_alone_that_is_under_way() -> None:
    run = request_run(recipe="standard", trigger="test")
    assert tasks.retrain() == (
        f"Training is already running (run {run.pk} of recipe 'standard', requested):"
        " one run at a time; start again when it has ended."
    )


def test_the_nightly_fit_is_of_the_recipe_that_serves() -> None:
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "wide"})
    assert tasks.retrain() == "There is no recipe 'wide'; the recipes are: none yet."
    wide = Recipe.objects.create(name="wide")
    run = request_run(recipe="wide", trigger="test")
    assert (tasks.retrain(), run.recipe) == (
        f"Training is already running (run {run.pk} of recipe 'wide', requested):"
        " one run at a time; start again when it has ended.",
        wide,
    )


def test_the_nightly_fit_can_be_switched_off(settings: Any) -> None:
    settings.AUTO_UPDATE = False
    assert tasks.retrain() == "AUTO_UPDATE is off"
    assert TrainingRun.objects.count() == 0


def test_a_fit_that_was_taken_up_elsewhere_is_left_alone() -> None:
    run = request_run(recipe="standard", trigger="test")
    TrainingRun.objects.update(phase="als")
    assert tasks.fit(run.pk) == "running"


def test_the_sweep_finds_nothing_to_do() -> None:
    assert tasks.sweep() == []
