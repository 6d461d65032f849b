"""What else may go wrong around a fit; who is killed is in ``test_killed``, a full disk in its own file."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery.signals import task_retry
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.algorithms.arms.als import Als
from apps.catalog.models import Movie
from apps.catalog.services import update_movie
from apps.core.embedded import start_embedded_worker
from apps.core.errors import Conflict
from apps.core.nudges import nudge
from apps.ratings.models import Rating, RatingDeparture
from apps.ratings.services import record_preference
from apps.training import registry, tasks
from apps.training.backlog import backlog, has_erasures
from apps.training.corpus import corpus_folder
from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType
from apps.training.services import forget_the_departed, request_run, sweep_runs, train, update_due
from recommender_site.celery import app
from tests.callers import bearer
from tests.factories import make_staff, make_user
from tests.processes import run_at_once, wait_until
from tests.training.faults import (
    NOBODY,
    PAUSING,
    Visitor,
    assert_serves,
    kept,
    rate,
    send,
    served,
    started,
)

pytestmark = pytest.mark.django_db
WARM = UpdateType.WARM_START
in_processes = pytest.mark.django_db(transaction=True)


@in_processes
def test_of_two_starts_at_once_one_fits_and_the_other_says_that_it_runs_already(
    films: list[Movie], tmp_path: Path
) -> None:
    pause = tmp_path / "pause"
    pause.touch()
    values = {"DJANGO_SETTINGS_MODULE": PAUSING, "PAUSE_AT": "als", "PAUSE_WHILE": str(pause)}
    command = ("manage.py", "train", "--json")
    with started(*command, **values) as one, started(*command, **values) as other:
        both = (one, other)
        wait_until(lambda: any(each.poll() is not None for each in both), "one of them ended")
        wait_until(TrainingRun.objects.filter(phase="als").exists, "the other at its fit")
        pause.unlink()
        ended = [json.loads(each.communicate(timeout=60)[0]) for each in both]
    assert [each.returncode for each in both] == [0, 0]
    (refused,) = (answer for answer in ended if "already_running" in answer)
    (fitted,) = (answer for answer in ended if "version" in answer)
    run = TrainingRun.objects.get()
    assert refused["already_running"].startswith(f"Training is already running (run {run.pk} of recipe")
    assert ModelVersion.objects.get().name == fitted["version"]


BEAT = """
from apps.training import tasks
settings.SETTINGS_MODULE = "recommender_site.settings.dev"
print(getattr(tasks, order)())
"""


@in_processes
@pytest.mark.parametrize(
    ("task", "update_type"), [("update", "warm_start_rebuild"), ("retrain", "full_retrain")]
)
def test_what_two_beats_ask_for_is_made_once(
    live: ModelVersion, films: list[Movie], own_process: None, monkeypatch: Any, task: str, update_type: str
) -> None:
    monkeypatch.setenv("UPDATE_THRESHOLD", "1")
    rate(films[-1])
    TrainingRun.objects.update(started_at=timezone.now() - timedelta(days=1))
    printed = run_at_once(BEAT, [task, task])
    version = ModelVersion.objects.exclude(pk=live.pk).get()
    assert (version.status, version.update_type, version.n_ratings) == (
        "live",
        update_type,
        live.n_ratings + 1,
    )
    made = {"update": f"[{version.run_id}]", "retrain": "succeeded"}[task]
    assert sum(text.strip() == made for text in printed) == 1
    assert set(TrainingRun.objects.values_list("status", flat=True)) == {"succeeded"}
    assert not ModelUpdateLog.objects.filter(success=False).exists()


@in_processes
def test_a_nightly_fit_that_an_update_is_in_the_way_of_is_made_later(
    live: ModelVersion, own_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.retrain, "default_retry_delay", 0.2)
    update = request_run(recipe="standard", trigger="test", update_type=WARM)
    TrainingRun.objects.filter(pk=live.run_id).update(trigger="command")
    put_off: list[Any] = []
    task_retry.connect(lambda **told: put_off.append(told), weak=False, dispatch_uid="put off")
    worker = start_embedded_worker(app)
    try:
        nudge(tasks.retrain)
        wait_until(lambda: put_off, "the nightly fit put off")
        TrainingRun.objects.filter(pk=update.pk).update(status="failed")
        nightly = TrainingRun.objects.filter(trigger="nightly", status="succeeded")
        wait_until(nightly.exists, "the nightly fit")
    finally:
        worker.stop()
        task_retry.disconnect(dispatch_uid="put off")


def test_a_full_fit_that_learns_no_numbers_leaves_what_was_there(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Als._learn

    def broken(self: Als, *given: Any) -> dict[str, Any]:
        arrays = learn(self, *given)
        return {**arrays, "factors": np.full_like(arrays["factors"], np.nan)}

    monkeypatch.setattr(Als, "_learn", broken)
    with pytest.raises(Conflict, match=r"^\S+ holds numbers that are not finite; the version before serves"):
        train()
    assert kept() == ([live.artifact], [live.name])
    assert_serves(live)
    assert TrainingRun.objects.latest("id").status == "failed"


NOTHING = "There are no ratings to learn from: load some with manage.py load_movielens demo."


@pytest.mark.parametrize("options", [[], ["--warm-start"]])
def test_an_empty_database_is_told_in_a_sentence_and_keeps_nothing(options: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("train", *options, stdout=StringIO())
    assert str(refused.value) == NOTHING
    run, log = TrainingRun.objects.get(), ModelUpdateLog.objects.get()
    assert (run.status, run.error, log.success, log.error_message) == ("failed", NOTHING, False, NOTHING)
    assert (kept(), ModelVersion.objects.exists()) == (([], []), False)


@pytest.mark.parametrize("task", [tasks.update, tasks.update_all, tasks.sweep])
def test_an_empty_database_calls_for_no_update(task: Any) -> None:
    assert task() == []
    assert not TrainingRun.objects.exists()
    staff = bearer(make_staff(permissions=["training.view_trainingrun"]))
    told = staff.send("GET", "/api/v1/learning/stats").json()
    assert (told["model_version"], told["buffer_size"], told["should_update"]) == (None, 0, False)


def raters(n: int) -> list[User]:
    return list(User.objects.filter(is_imported=True).order_by("pk")[:n])


def held_people(version: ModelVersion) -> list[int]:
    ids: list[int] = np.load(corpus_folder() / version.name / "people.ids.npy").tolist()
    return ids


@in_processes
def test_what_happens_between_reading_and_publishing_is_heeded_at_once_and_learned_next(
    live: ModelVersion, films: list[Movie], own_process: None
) -> None:
    hidden, (gone, other) = films[0], raters(2)
    number = gone.pk
    changed = Rating.objects.filter(user=other).first()
    assert changed is not None

    def meanwhile(step: str) -> None:
        if step == "check":
            update_movie(movie=hidden, by=None, is_available=False)
            record_preference(
                user_id=other.pk, movie_id=changed.movie_id, kind="rate", value=0.5, at=timezone.now()
            )
            erase_user(gone)

    version = train(progress=meanwhile)
    assert_serves(version)
    assert hidden.pk not in listed(make_user())
    assert number in held_people(version)
    assert (backlog("standard").buffer_size, has_erasures("standard")) == (1, True)
    (run,) = update_due()
    later = ModelVersion.objects.get(status="live")
    assert (run.trigger, run.status, later.run, later.n_users) == (
        "erasure",
        "succeeded",
        run,
        live.n_users - 1,
    )
    assert held_people(later) == [person for person in held_people_of_rows() if person != number]
    assert (later.n_ratings, backlog("standard").buffer_size) == (Rating.objects.count(), 0)
    assert hidden.pk not in listed(make_user())
    ModelVersion.objects.update(read_at=timezone.now() + timedelta(minutes=3))
    assert (forget_the_departed(), RatingDeparture.objects.count()) == (1, 0)


def held_people_of_rows() -> list[int]:
    return sorted(set(Rating.objects.values_list("user_id", flat=True)))


def listed(user: User) -> set[int]:
    """The films that are recommended to somebody who rated nothing."""
    slate = bearer(user).send("GET", "/api/v1/movies/recommendations?n=12").json()
    films = {slot["movie_id"] for slot in slate["recommendations"]}
    assert films
    return films


def test_who_left_while_a_fit_read_is_forgotten_although_they_came_before_its_time(
    live: ModelVersion,
) -> None:
    ModelVersion.objects.update(read_at=timezone.now())
    live.refresh_from_db()
    RatingDeparture.objects.create(
        user_id=raters(1)[0].pk, is_erasure=True, at=live.read_at - timedelta(seconds=5)
    )
    assert has_erasures("standard")
    RatingDeparture.objects.update(at=live.read_at - timedelta(seconds=61))
    assert not has_erasures("standard")


@in_processes
def test_with_the_broker_gone_a_rating_is_taken_and_the_sweep_makes_the_update(
    live: ModelVersion, films: list[Movie], own_process: None
) -> None:
    viewer = bearer(make_user())
    body = {"item_id": films[-1].pk, "event_type": "rate", "rating": 5.0}
    with served(CELERY_BROKER_URL=NOBODY, REDIS_URL=NOBODY, UPDATE_THRESHOLD="1") as url:
        with Visitor(url) as visitor:
            status, told = send(f"{url}/api/v1/events", body, viewer.headers)
        run = TrainingRun.objects.get(phase="requested")
        assert (status, told["model_update"]["run_id"], visitor.failed) == (201, run.pk, [])
        assert (run.status, run.trigger) == ("running", "threshold_reached_1")
        assert sweep_runs() == [run.pk]
    version = ModelVersion.objects.get(status="live")
    assert (version.run, version.n_ratings) == (run, live.n_ratings + 1)


def damage(file: Path) -> None:
    """Its last byte, in place: a server has the file mapped."""
    with file.open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x7f")


@in_processes
@pytest.mark.parametrize("what", ["models", "corpora"])
def test_files_that_are_damaged_under_a_server_fail_no_request_and_the_next_update_replaces_them(
    live: ModelVersion, films: list[Movie], own_artifacts: Path, what: str
) -> None:
    folder = own_artifacts if what == "models" else corpus_folder()
    with served(UPDATE_THRESHOLD="50") as url, Visitor(url) as visitor:
        wait_until(lambda: visitor.n_asked, "the version served")
        for file in (folder / live.name).glob("*.npy"):
            damage(file)
        rate(films[-1])
        version = train(update_type=WARM)
        asked = visitor.n_asked
        wait_until(lambda: visitor.n_asked > asked, "an answer after it")
    assert (visitor.failed, version.update_type) == ([], "full_retrain")
    assert_serves(version)


def test_a_process_that_begins_with_a_damaged_version_serves_the_one_before(
    live: ModelVersion, own_artifacts: Path
) -> None:
    later = train()
    damage(own_artifacts / later.artifact / "arm_svd.factors.npy")
    registry.reset()
    current = registry.engine()
    assert current is not None
    assert current.version == live.name
