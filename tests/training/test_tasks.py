from typing import Any

import pytest

from apps.experiments.models import ServingPolicy
from apps.training import tasks
from apps.training.models import Recipe, TrainingRun
from apps.training.services import request_run
from apps.training.services.locking import AlreadyRunning

pytestmark = pytest.mark.django_db


def test_the_nightly_fit_leaves_a_run_alone_that_is_under_way() -> None:
    run = request_run(recipe="standard", trigger="test")
    with pytest.raises(AlreadyRunning, match=rf"^Training is already running \(run {run.pk} of recipe "):
        tasks.retrain()
    assert TrainingRun.objects.get() == run


@pytest.mark.parametrize("status", ["running", "succeeded", "failed"])
def test_a_nightly_fit_that_was_begun_already_is_not_made_again(status: str) -> None:
    request_run(recipe="standard", trigger="nightly")
    TrainingRun.objects.update(status=status)
    assert tasks.retrain() == "fitted already"
    assert TrainingRun.objects.count() == 1


def test_the_nightly_fit_is_of_the_recipe_that_serves() -> None:
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "wide"})
    assert tasks.retrain() == "There is no recipe 'wide'; the recipes are: none yet."
    wide = Recipe.objects.create(name="wide")
    run = request_run(recipe="wide", trigger="test")
    with pytest.raises(AlreadyRunning, match=r" of recipe 'wide', requested\)"):
        tasks.retrain()
    assert run.recipe == wide


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
