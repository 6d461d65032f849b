import json
import os
import re
import subprocess
import sys
import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Movie
from apps.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from apps.ratings.models import Rating
from apps.training.artifacts import open_artifact
from apps.training.models import ModelVersion, Recipe, TrainingRun
from apps.training.services import (
    abandon_stale_runs,
    activate,
    ensure_standard_recipe,
    fit_requested,
    request_run,
    start_run,
    sweep_runs,
    train,
)
from apps.training.services.training import STEPS
from tests.fitting import fit_beside

pytestmark = pytest.mark.django_db


def test_makes_the_new_version_live_and_retires_the_one_before(films: list[Movie]) -> None:
    first, second = train(), train(trigger="test")
    first.refresh_from_db()
    assert (first.status, second.status) == ("retired", "live")
    assert (second.n_users, second.n_movies, second.n_ratings) == (10, 12, Rating.objects.count())
    assert second.run is not None
    second.run.refresh_from_db()
    assert (second.run.status, second.run.trigger, second.run.error) == ("succeeded", "test", "")
    assert second.name == f"{second.run.started_at:%Y%m%dT%H%M%S}-{second.run.pk}"
    assert set(second.metrics["seconds"]) == set(STEPS)


def test_tells_each_step_once_in_order(films: list[Movie]) -> None:
    steps: list[str] = []
    train(progress=steps.append)
    assert steps == list(STEPS)


def log_of(run: TrainingRun | None) -> list[str]:
    assert run is not None
    run.refresh_from_db()
    seconds = [said["second"] for said in run.log]
    assert seconds == sorted(seconds)
    return [said["line"] for said in run.log]


def test_a_fit_logs_what_it_read_took_and_wrote(films: list[Movie]) -> None:
    version = train(trigger="nightly")
    log = log_of(version.run)
    n_users, n_films, n_ratings = version.n_users, version.n_movies, version.n_ratings
    assert log[:2] == [
        "full retrain of recipe 'standard', asked for by nightly.",
        f"Learns from {n_ratings:,} ratings by {n_users:,} people, of {n_films:,} films.",
    ]
    assert [line for line in log if line.startswith(("read ratings: ", "svd: ", "check: "))]
    written = version.metrics["written_bytes"] / 1e6
    assert f"Wrote {written:,.1f} of the version's {written:,.1f} MB." in log
    assert re.fullmatch(r"The process took [\d,]+ MB of memory at its highest\.", log[-2])
    assert log[-1] == f"Version {version.name} passed, and is the live version of recipe 'standard'."


def test_two_fits_of_the_same_rows_give_the_same_numbers(films: list[Movie], own_artifacts: Path) -> None:
    first, second = (open_artifact(own_artifacts / train().artifact) for _ in range(2))
    assert [spec.sha256 for spec in first.specs.values()] == [spec.sha256 for spec in second.specs.values()]


def test_a_recipe_sets_parameters_by_arm(films: list[Movie], own_artifacts: Path) -> None:
    Recipe.objects.create(name="narrow", parameters={"als": {"factors": 3}, "predictor": {"voters": 2}})
    version = train(recipe="narrow")
    artifact = open_artifact(own_artifacts / version.artifact)
    assert artifact.groups["arm_als"]["factors"].shape == (12, 3)
    assert artifact.about["predictor"]["voters"] == 2


def test_refuses_a_recipe_that_is_not_there(db: None) -> None:
    ensure_standard_recipe()
    with pytest.raises(NotFound, match=r"^There is no recipe 'spicy'; the recipes are: standard\.$"):
        train(recipe="spicy")


def test_refuses_parameters_that_no_arm_has(films: list[Movie]) -> None:
    recipe = Recipe.objects.create(name="odd", parameters={"als": {"factors": 0}})
    text = "als: factors must be a whole number from 1 to 512, not 0."
    with pytest.raises(ValidationError) as refused:
        recipe.full_clean()
    assert refused.value.message_dict == {"parameters": [text]}
    with pytest.raises(InvalidInput) as failed:
        train(recipe="odd")
    assert failed.value.detail == f"Recipe 'odd' cannot be fitted: {text}"


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ([], "A recipe's parameters are an object: parameters by the arm's name."),
        ({"als": 3}, "als: its parameters are an object, not 3."),
        ({"predictor": {"voters": 0}}, "predictor: voters must be a whole number from 1 to 1000, not 0."),
    ],
)
def test_refuses_a_recipe_of_another_form(db: None, parameters: Any, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Recipe(name="odd", parameters=parameters).full_clean()
    assert text in str(refused.value.message_dict)


def test_says_that_there_is_nothing_to_learn_from(db: None, own_artifacts: Path) -> None:
    with pytest.raises(Conflict) as refused:
        train()
    text = "There are no ratings to learn from: load some with manage.py load_movielens demo."
    run = TrainingRun.objects.get()
    assert (refused.value.detail, run.error, run.status) == (text, text, "failed")
    assert log_of(run)[-1] == text
    assert not own_artifacts.exists()


def test_a_fit_that_fails_leaves_the_version_before_and_no_file(
    films: list[Movie], own_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train()

    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(Unavailable) as refused:
        train()
    assert os.listdir(own_artifacts) == [first.artifact]
    assert ModelVersion.objects.get(status="live") == first
    run = TrainingRun.objects.latest("id")
    assert (run.status, run.error) == ("failed", refused.value.detail)
    assert run.error == (
        "The disk did not take the version's files (No space left on device): make room in"
        f" {own_artifacts} and {own_artifacts}-corpora and fit again. The version before serves on."
    )


def test_numbers_that_are_not_finite_never_go_live(films: list[Movie], own_artifacts: Path) -> None:
    first = train()
    store_absurd_ratings()
    with np.errstate(all="ignore"), pytest.raises(Conflict, match="finite"):
        train()
    assert os.listdir(own_artifacts) == [first.artifact]
    assert ModelVersion.objects.get() == first


def store_absurd_ratings() -> None:
    """Ratings that overflow float32 when they are summed; the table itself would refuse them."""
    connection.check_constraints()  # PostgreSQL alters no table that has checks outstanding
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = 1")
            cursor.execute("UPDATE ratings SET value = 3e38")
            cursor.execute("PRAGMA ignore_check_constraints = 0")
        else:
            cursor.execute("ALTER TABLE ratings DROP CONSTRAINT ratings_halves")
            cursor.execute("UPDATE ratings SET value = 3e38")


@pytest.mark.parametrize("recipe", ["standard", "other"])
def test_refuses_a_second_start_whatever_its_recipe(films: list[Movie], recipe: str) -> None:
    Recipe.objects.create(name="other")
    run = request_run(recipe="standard", trigger="test")
    with pytest.raises(Conflict) as refused:
        train(recipe=recipe)
    assert refused.value.detail == (
        f"Training is already running (run {run.pk} of recipe 'standard', requested):"
        " one run at a time; start again when it has ended."
    )
    assert TrainingRun.objects.get() == run


def test_another_recipe_is_fitted_when_the_run_before_has_ended(films: list[Movie]) -> None:
    Recipe.objects.create(name="other")
    standard, other = train(), fit_beside("other")
    assert (standard.status, other.status) == ("live", "live")


def test_a_silent_run_blocks_no_other_recipe(films: list[Movie]) -> None:
    Recipe.objects.create(name="other")
    run = request_run(recipe="other", trigger="test")
    TrainingRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=6))
    assert train().status == "live"
    run.refresh_from_db()
    assert run.status == "abandoned"


@pytest.mark.django_db(transaction=True)
def test_of_eight_starts_at_once_one_wins() -> None:
    names = [Recipe.objects.create(name=f"recipe-{number}").name for number in range(4)]
    barrier, outcomes = threading.Barrier(8), []

    def start(recipe: str) -> None:
        barrier.wait()
        try:
            outcomes.append(request_run(recipe=recipe, trigger="test").status)
        except Conflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=start, args=[name]) for name in names * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["running"]
    assert TrainingRun.objects.count() == 1


def test_a_run_is_fitted_by_one_process_only(films: list[Movie]) -> None:
    run = request_run(recipe="standard", trigger="test")
    with pytest.raises(Conflict) as refused:
        train(run_id=run.pk)
    assert refused.value.detail == (
        f"Run {run.pk} is not waiting to be fitted; start one with manage.py train."
    )


def test_a_silent_run_is_given_up_and_blocks_nobody(films: list[Movie], own_artifacts: Path) -> None:
    run = request_run(recipe="standard", trigger="test")
    left = own_artifacts / f".partial-{run.started_at:%Y%m%dT%H%M%S}-{run.pk}"
    left.mkdir(parents=True)
    run.heartbeat_at = timezone.now() - timedelta(minutes=3)
    run.save(update_fields=["heartbeat_at"])
    assert abandon_stale_runs() == []
    run.heartbeat_at = timezone.now() - timedelta(minutes=4, seconds=1)
    run.save(update_fields=["heartbeat_at"])
    version = train()
    run.refresh_from_db()
    assert (run.status, run.error) == (
        "abandoned",
        "There was no sign of life any more: its process is gone.",
    )
    assert os.listdir(own_artifacts) == [version.artifact]


def test_a_run_that_was_given_up_meanwhile_throws_its_result_away(
    films: list[Movie], own_artifacts: Path
) -> None:
    def give_up(step: str) -> None:
        if step == "check":
            TrainingRun.objects.update(status="abandoned")

    with pytest.raises(Conflict, match="was given up meanwhile; its result is thrown away"):
        train(progress=give_up)
    assert (os.listdir(own_artifacts), ModelVersion.objects.count()) == ([], 0)


def test_refuses_to_go_back_to_a_version_without_files(films: list[Movie], settings: Any) -> None:
    settings.ARTIFACTS_KEPT = 1
    first, _, second = train(), train(), train()
    with pytest.raises(Conflict) as refused:
        activate(version=first)
    assert refused.value.detail == (
        f"Version {first.name} was refused or its files were removed; fit the recipe again."
    )
    assert ModelVersion.objects.get(status="live") == second


def test_the_command_answers_in_json(films: list[Movie]) -> None:
    out = StringIO()
    call_command("train", "--full", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    version = ModelVersion.objects.get()
    assert (answer["version"], answer["n_users"], answer["n_movies"]) == (version.name, 10, 12)
    assert (answer["recipe"], answer["n_ratings"]) == ("standard", version.n_ratings)
    assert set(answer["seconds"]) == set(STEPS)


def test_the_command_takes_an_empty_name_for_none(db: None) -> None:
    with pytest.raises(CommandError, match=r"^There is no recipe ''; the recipes are: none yet\.$"):
        call_command("train", "--recipe", "")


def test_the_command_refuses_in_one_sentence(db: None) -> None:
    with pytest.raises(CommandError, match="There are no ratings to learn from"):
        call_command("train")


@pytest.mark.parametrize("options", [[], ["--warm-start"]])
def test_a_second_start_says_that_it_runs_already(db: None, options: list[str]) -> None:
    run = request_run(recipe="standard", trigger="test")
    said = StringIO()
    call_command("train", *options, stdout=said)
    assert said.getvalue() == (
        f"already running: Training is already running (run {run.pk} of recipe 'standard', requested):"
        " one run at a time; start again when it has ended.\n"
    )


@pytest.mark.django_db(transaction=True)
def test_a_retrain_fits_in_a_process_of_its_own(films: list[Movie], own_process: None) -> None:
    run = start_run(recipe="standard", trigger="nightly")
    assert (run.status, run.trigger, run.error) == ("succeeded", "nightly", "")
    assert ModelVersion.objects.get(status="live").run == run


@pytest.mark.django_db(transaction=True)
def test_a_retrain_that_fails_says_why(own_process: None) -> None:
    run = start_run(recipe="standard", trigger="nightly")
    assert run.status == "failed"
    assert run.error == "There are no ratings to learn from: load some with manage.py load_movielens demo."


@pytest.mark.django_db(transaction=True)
def test_a_process_that_cannot_start_fails_its_run(own_process: None, settings: Any) -> None:
    settings.SETTINGS_MODULE = "recommender_site.settings.none"
    run = start_run(recipe="standard", trigger="nightly")
    assert run.status == "failed"
    assert "No module named 'recommender_site.settings.none'" in run.error


@pytest.mark.django_db(transaction=True)
def test_a_fit_that_takes_too_long_is_stopped(films: list[Movie], own_process: None, settings: Any) -> None:
    settings.TRAINING_TIMEOUT_SECONDS = 0.05
    run = start_run(recipe="standard", trigger="nightly")
    assert (run.status, run.error) == ("failed", "Stopped after 0.05 seconds.")


@pytest.mark.django_db(transaction=True)
def test_the_sweep_fits_what_was_requested_and_forgotten(films: list[Movie], own_process: None) -> None:
    run = request_run(recipe="standard", trigger="admin")
    assert sweep_runs() == [run.pk]
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert sweep_runs() == []


def test_a_message_that_comes_twice_does_nothing(films: list[Movie]) -> None:
    version = train()
    assert version.run is not None
    assert fit_requested(run_id=version.run.pk) == version.run
    assert ModelVersion.objects.count() == 1


KILLED_WHILE_SAVING = """
import os, signal, django
django.setup()
from apps.training.services import train
sync, count = os.fsync, [0]
def fsync(handle):
    sync(handle)
    count[0] += 1
    if count[0] == 12:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
train()
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_while_saving_leaves_nothing_half_written(
    films: list[Movie], own_process: None, own_artifacts: Path
) -> None:
    first = train()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev"}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING],
        env=environment,
        cwd=django_settings.BASE_DIR,
        check=False,
    )
    assert killed.returncode == -9
    run = TrainingRun.objects.latest("id")
    assert (run.status, run.phase) == ("running", "save")
    assert sorted(os.listdir(own_artifacts)) == sorted(
        [first.artifact, f".partial-{run.started_at:%Y%m%dT%H%M%S}-{run.pk}"]
    )
    assert ModelVersion.objects.get() == first
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=6))
    second = train()
    assert sorted(os.listdir(own_artifacts)) == sorted([first.artifact, second.artifact])
