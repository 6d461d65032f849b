"""PostgreSQL's lock of training: free the moment that its holder dies."""

import subprocess
import sys
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Movie
from apps.core.errors import Conflict
from apps.training.models import ModelUpdateLog, TrainingRun
from apps.training.services import abandon_stale_runs, request_run, runs, train
from apps.training.services.locking import held_lock, is_lock_free
from apps.training.services.runs import MISSED_BEATS
from tests.processes import production, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite has no such lock: it says nothing"
    ),
]

HOLD = """
import sys, time
import django
django.setup()
from apps.training.services.locking import held_lock
with held_lock():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder() -> Any:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=production(),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_fit_holds_it_and_lets_go(films: list[Movie]) -> None:
    seen: list[bool] = []
    train(progress=lambda step: seen.append(is_lock_free()))
    assert not any(seen)
    assert is_lock_free()


def test_of_two_processes_one_fits(films: list[Movie], holder: Any) -> None:
    said = r"^Another process is training: one run at a time; start again when it has ended\.$"
    with pytest.raises(Conflict, match=said):
        train()
    with pytest.raises(Conflict), held_lock():
        pass


def test_a_run_whose_process_was_killed_is_given_up_after_it_missed_its_signs(holder: Any) -> None:
    run = request_run(recipe="standard", trigger="test")
    seen_at = timezone.now() - MISSED_BEATS - timedelta(seconds=1)
    TrainingRun.objects.update(phase="als", heartbeat_at=seen_at)
    assert abandon_stale_runs() == []
    holder.kill()
    holder.wait()
    wait_until(is_lock_free, "the lock free")
    assert abandon_stale_runs() == [run.pk]


@pytest.mark.parametrize(("phase", "age"), [("als", 1), ("requested", 200), ("taken up", 200)])
def test_a_free_lock_alone_condemns_no_run(phase: str, age: int) -> None:
    request_run(recipe="standard", trigger="test")
    TrainingRun.objects.update(phase=phase, heartbeat_at=timezone.now() - timedelta(seconds=age))
    assert is_lock_free()
    assert abandon_stale_runs() == []


def test_a_lost_connection_lets_go(films: list[Movie]) -> None:
    with held_lock():
        connection.close()
    assert is_lock_free()


def test_a_run_that_finds_the_lock_held_ends_and_blocks_nobody(films: list[Movie], holder: Any) -> None:
    said = StringIO()
    call_command("train", stdout=said)
    text = "Another process is training: one run at a time; start again when it has ended."
    run, log = TrainingRun.objects.get(), ModelUpdateLog.objects.get()
    assert said.getvalue() == f"already running: {text}\n"
    assert (run.status, run.error, log.success, log.error_message) == ("failed", text, False, text)
    holder.kill()
    holder.wait()
    wait_until(is_lock_free, "the lock free")
    assert train().status == "live"


OTHERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def test_a_sign_of_life_that_is_lost_is_not_the_last(
    films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BEAT_SECONDS", 0.02)

    def seen_at() -> datetime | None:
        return TrainingRun.objects.get().heartbeat_at

    def cut_off(step: str) -> None:
        if step != "als":
            return
        began = seen_at()
        wait_until(lambda: seen_at() != began, "a sign by the connection of its own")
        with connection.cursor() as cursor:
            cursor.execute(OTHERS)
            assert cursor.fetchone()[0] >= 1
        last = seen_at()
        wait_until(lambda: seen_at() != last, "a sign by another connection")
        again = seen_at()
        wait_until(lambda: seen_at() != again, "one more")

    assert train(progress=cut_off).status == "live"
