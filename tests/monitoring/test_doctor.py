"""``manage.py doctor``: what it sees, what it advises, and what it never says."""

import io
import json
import subprocess
import sys
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from apps.core.migrated import forget_migrated
from apps.core.services import record_heartbeat
from apps.monitoring.parts import installation, rows
from apps.training.models import ModelVersion
from tests.callers import bearer
from tests.factories import make_user
from tests.house import House
from tests.pages.conftest import house, nothing_kept
from tests.processes import production

__all__ = ["house", "nothing_kept"]

RANDOM = "Zt4_qW7xK1pVb9NdY3sLhR6mCgE0fUaJ8oTiQ5wXyBzMnHk-2vPr"


@pytest.fixture
def whole(transactional_db: None, house: House) -> House:
    """An installation in which nothing is wrong."""
    forget_migrated()
    record_heartbeat("worker")
    record_heartbeat("beat")
    every = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.all().delete()
    PeriodicTask.objects.create(name="training: sweep", task="a.task", interval=every)
    return house


def examine() -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and state and sentence of each part."""
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", "--json", stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    answer = json.loads(out.getvalue())
    assert answer["ok"] == (code == 0)
    return code, {part["name"]: (part["state"], part["says"]) for part in answer["parts"]}


def test_finds_nothing_wrong_with_a_whole_installation(whole: House) -> None:
    code, parts = examine()
    assert (code, {name for name, (state, _) in parts.items() if state != "ok"}) == (0, set()), parts
    assert set(parts) == {
        *("settings", "disk", "static files", "mail", "database", "migrations", "model", "worker", "beat"),
        *("artifacts", "database version", "clock", "schedules", "backlog", "model files"),
    }
    assert parts["model files"][1].endswith(": checksums hold, 0 h old")
    vendor = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL 1"
    assert parts["database version"][1].startswith(vendor)


def test_prints_a_line_for_each_part_and_ends_with_one_when_there_is_a_problem(
    transactional_db: None,
) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out)
    assert ended.value.code == 1
    lines = {line[9:].split("  ")[0].strip(): line for line in out.getvalue().splitlines()}
    assert lines["database"].split() == ["ok", "database", "answers"]
    assert lines["worker"].split(maxsplit=2) == ["problem", "worker", "no sign of life yet: start it"]
    assert lines["model files"].endswith(
        "recipe standard has no version: run manage.py train --recipe standard"
    )


def test_says_which_file_of_the_model_was_altered(whole: House, settings: Any) -> None:
    folder = settings.ARTIFACT_DIR / ModelVersion.objects.get(status="live").artifact
    file = sorted(folder.glob("*.npy"))[0]
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(bytes(raw))
    code, parts = examine()
    assert code == 1
    advice = "Bring them back from the backup, or run manage.py train --recipe standard"
    assert parts["model files"] == ("problem", f"{file} was altered after it was written. {advice}")


def test_warns_of_a_model_that_no_fit_has_followed(whole: House) -> None:
    ModelVersion.objects.update(read_at=timezone.now() - timedelta(hours=50))
    state, says = examine()[1]["model files"]
    assert state == "warning"
    assert says.endswith("50 h old: the nightly fit failed or did not run; see Training runs")


def test_warns_of_ratings_that_nobody_will_take_in(whole: House, settings: Any) -> None:
    settings.AUTO_UPDATE, settings.UPDATE_THRESHOLD = False, 1
    n_ratings = ModelVersion.objects.get(status="live").n_ratings
    bearer(make_user()).send("PUT", f"/api/v1/ratings/{whole.horror[0].pk}", {"rating": 4})
    assert examine()[1]["backlog"] == (
        "warning",
        f"1 ratings came since the model was fitted on {n_ratings}, and AUTO_UPDATE is off: run "
        "manage.py train --recipe standard",
    )


def test_tells_of_schedules_that_are_off_or_gone(whole: House) -> None:
    PeriodicTask.objects.update(enabled=False)
    assert examine()[1]["schedules"] == ("warning", "switched off in the admin: training: sweep")
    PeriodicTask.objects.all().delete()
    assert examine()[1]["schedules"][0] == "problem"


@pytest.mark.postgres
@pytest.mark.parametrize(("seconds", "state"), [(5, "warning"), (90, "problem")])
def test_tells_of_a_clock_that_differs_from_the_databases(
    whole: House, monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) - timedelta(seconds=seconds)

    monkeypatch.setattr(rows, "datetime", Late)
    found = examine()[1]["clock"]
    assert found == (state, f"{seconds}.0 s from the database's: let both machines take the time from NTP")


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "state", "advice"),
    [(10**8, "problem", ": make room, the next fit will fail"), (10**9, "warning", ": make room")],
)
def test_tells_of_a_full_disk(
    whole: House, monkeypatch: pytest.MonkeyPatch, free: int, state: str, advice: str
) -> None:
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda folder: Usage(10**11, 0, free))
    says = f"{free / 1e9:.1f} GB of 100 GB are free where models are kept{advice}"
    assert examine()[1]["disk"] == (state, says)


def test_tells_of_a_mail_server_that_does_not_answer(whole: House, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert examine()[1]["mail"] == (
        "warning",
        "the mail server refuses (ConnectionRefusedError): nobody can set a new password; see EMAIL_*",
    )


def test_tells_of_settings_that_the_checks_refuse(whole: House, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.SECRET_KEY = ["marquee.example"], "short"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    state, says = examine()[1]["settings"]
    assert state == "problem"
    assert says.startswith("core.E002 SECRET_KEY has 5 characters, and 50 are the least")
    assert "short" not in says


def doctor(**values: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        env=production(**values),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_never_says_a_secret() -> None:
    """Wherever one can stand, and with everything out of reach, so that all refusals are printed."""
    ended = doctor(
        SECRET_KEY=RANDOM,
        DATABASE_URL="postgres://ada:Qdatabase@127.0.0.1:1/marquee",
        REDIS_URL="redis://:Qredis@127.0.0.1:1/0",
        CELERY_BROKER_URL="redis://:Qbroker@127.0.0.1:1/0",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT="1",
        EMAIL_HOST_USER="Qmailer",
        EMAIL_HOST_PASSWORD="Qmail",
    )
    assert ended.returncode == 1
    assert "problem  database      does not answer" in ended.stdout
    for secret in (RANDOM, "Qdatabase", "Qredis", "Qbroker", "Qmail"):
        assert secret not in ended.stdout + ended.stderr
