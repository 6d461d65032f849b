"""SIGKILL for whoever fits, at each step: the version before serves on, and nothing is left for long."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from redis import Redis

from apps.catalog.models import Movie
from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType
from apps.training.services import abandon_stale_runs, clean_up, start_run, train
from apps.training.services.locking import is_lock_free
from tests.callers import bearer
from tests.core.conftest import redis_database
from tests.factories import make_staff
from tests.processes import Program, running, wait_until
from tests.training.faults import (
    PAUSING,
    Visitor,
    assert_serves,
    kept,
    let_go_silent,
    own_environment,
    rate,
    send,
    served,
    started,
)

__all__ = ["redis_database"]

pytestmark = pytest.mark.django_db(transaction=True)
WARM = UpdateType.WARM_START
GONE = "There was no sign of life any more: its process is gone."

# A line of the log is the last that is written of a version before it is committed.
DYING = """
import os, signal, sys
import django
django.setup()
from apps.training.services import training

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def dying_in(save):
    def begin(*args, **options):
        sync, left = os.fsync, [4]
        def sync_and_count(handle):
            sync(handle)
            left[0] -= 1
            if not left[0]:
                die()
        os.fsync = sync_and_count
        return save(*args, **options)
    return begin

at = sys.argv[1]
places = {
    "writing the model": ("save_artifact", dying_in),
    "writing the corpus": ("save_corpus", dying_in),
    "publishing": ("note_version", lambda _: die),
    "tidying up": ("discard_corpora", lambda _: die),
}
if at in places:
    name, make = places[at]
    setattr(training, name, make(getattr(training, name)))
training.train(update_type="warm_start_rebuild", progress=lambda step: step == at and die())
"""
MOMENTS = (
    "read ratings",
    "als",
    "predicted ratings",
    "writing the model",
    "writing the corpus",
    "check",
    "publishing",
)


def die_at(moment: str) -> TrainingRun:
    """The run of a process that was killed then."""
    with started("-c", DYING, moment) as process:
        said = process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGKILL, said
    return TrainingRun.objects.latest("id")


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_update_killed_at_any_moment_leaves_what_was_there(
    live: ModelVersion, films: list[Movie], moment: str
) -> None:
    rate(films[-1])
    with Visitor() as visitor:
        run = die_at(moment)
    assert (visitor.failed, run.status) == ([], "running")
    assert ModelVersion.objects.count() == 1
    assert_serves(live)
    if connection.vendor == "postgresql":
        wait_until(is_lock_free, "the lock free although the run counts as alive")
    let_go_silent(run)
    assert abandon_stale_runs() == [run.pk]
    assert kept() == ([live.artifact], [live.name])
    log = ModelUpdateLog.objects.get(run=run)
    assert (log.success, log.error_message, log.version) == (False, GONE, "")
    version = train(update_type=WARM)
    assert (version.status, version.n_ratings) == ("live", live.n_ratings + 1)


def test_an_update_killed_once_it_serves_leaves_to_the_clean_up_what_the_one_before_was_fitted_on(
    live: ModelVersion, films: list[Movie]
) -> None:
    rate(films[-1])
    run = die_at("tidying up")
    version = ModelVersion.objects.get(run=run)
    assert (run.status, kept()[1]) == ("succeeded", [live.name, version.name])
    assert_serves(version)
    assert clean_up().corpora == [live.name]
    assert train().status == "live"


def test_a_fit_that_the_system_killed_fails_its_run_at_once_and_the_log_says_so(
    live: ModelVersion, own_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BASE_DIR", dying_program(Path(settings.ARTIFACT_DIR).parent))
    run = start_run(recipe="standard", trigger="nightly")
    assert (run.status, run.error) == ("failed", "The process was killed by signal 9.")
    log = ModelUpdateLog.objects.get(run=run)
    assert (log.success, log.error_message) == (False, run.error)
    assert_serves(live)


def dying_program(folder: Path) -> Path:
    """Where a ``manage.py`` is that is killed as soon as it begins."""
    (folder / "manage.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    return folder


@pytest.fixture
def broker(redis_database: Redis) -> str:
    return "redis://{host}:{port}/{db}".format(**redis_database.connection_pool.connection_kwargs)


@pytest.fixture
def pause(tmp_path: Path) -> Path:
    """Fits wait where they are told for as long as it exists."""
    file = tmp_path / "pause"
    file.touch()
    return file


def worker(broker: str, pause: Path, moment: str = "") -> AbstractContextManager[Program]:
    environment = own_environment(
        DJANGO_SETTINGS_MODULE=PAUSING,
        CELERY_BROKER_URL=broker,
        REDIS_URL=broker,
        UPDATE_THRESHOLD="1",
        PAUSE_AT=moment,
        PAUSE_WHILE=str(pause),
    )
    return running(environment, "celery", "-A", "recommender_site", "worker", "-c", "1")


def kill_worker_at(moment: str, broker: str, pause: Path, ask: Callable[[], None]) -> TrainingRun:
    """The run of a worker that was killed with all its processes in that step."""
    with worker(broker, pause, moment) as killed:
        ask()
        runs = TrainingRun.objects.filter(status="running", phase=moment)
        wait_until(runs.exists, f"a fit at {moment}")
        killed.kill()
        return runs.get()


def ask_worker(broker: str, task: str) -> None:
    """As beat does it."""
    with Celery(broker=broker, set_as_current=False) as app:
        app.send_task(f"apps.training.tasks.{task}", ignore_result=True)


@pytest.mark.redis
@pytest.mark.postgres
def test_a_worker_killed_in_each_step_fails_no_request(
    live: ModelVersion, films: list[Movie], broker: str, pause: Path
) -> None:
    rate(films[-1])
    with served(REDIS_URL=broker, CELERY_BROKER_URL=broker) as url, Visitor(url) as visitor:
        for moment in ("read ratings", "als", "predicted ratings", "save", "check"):
            run = kill_worker_at(moment, broker, pause, lambda: ask_worker(broker, "update"))
            wait_until(is_lock_free, "the lock free")
            assert_serves(live)
            let_go_silent(run)
            assert abandon_stale_runs() == [run.pk]
            assert kept() == ([live.artifact], [live.name])
        with worker(broker, pause):
            ask_worker(broker, "update")
            wait_until(ModelVersion.objects.exclude(pk=live.pk).exists, "a version by the last worker")
    assert visitor.failed == []
    assert visitor.n_asked > 10
    statuses = TrainingRun.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == ["succeeded", *["abandoned"] * 5, "succeeded"]


@pytest.mark.redis
def test_the_message_of_a_killed_worker_comes_to_another_which_makes_the_update(
    live: ModelVersion, films: list[Movie], broker: str, pause: Path, redis_database: Redis
) -> None:
    rate(films[-1])
    staff = bearer(make_staff(permissions=["training.view_trainingrun", "training.add_trainingrun"]))
    with ExitStack() as stack:
        url = stack.enter_context(served(REDIS_URL=broker, CELERY_BROKER_URL=broker))
        visitor = stack.enter_context(Visitor(url))
        run = kill_worker_at("als", broker, pause, lambda: ask_for_update(url, staff.headers))
        assert redis_database.hlen("unacked") == 1
        let_go_silent(run)
        stack.enter_context(worker(broker, pause))
        later = ModelVersion.objects.exclude(pk=live.pk)
        wait_until(later.exists, "a version by the second worker")
        wait_until(lambda: redis_database.hlen("unacked") == 0, "the message acknowledged")
    run.refresh_from_db()
    assert (run.status, later.get().status, visitor.failed) == ("abandoned", "live", [])


def ask_for_update(url: str, headers: dict[str, str]) -> None:
    status, _ = send(f"{url}/api/v1/learning/trigger-update", {}, headers)
    assert status == 202
