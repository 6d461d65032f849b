"""The probes. They look from threads of their own, which see what is committed."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.core.migrated import forget_migrated
from apps.core.models import Heartbeat
from apps.core.services import record_heartbeat
from apps.experiments.models import ServingPolicy
from apps.monitoring import readiness as monitored
from apps.monitoring.parts.looking import Look, look_at
from apps.monitoring.parts.part import Part, ok
from apps.training import registry
from apps.training.models import ModelVersion, Recipe
from apps.training.services import train
from tests.house import House
from tests.pages.conftest import house, nothing_kept

__all__ = ["house", "nothing_kept"]

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def forgotten() -> None:
    forget_migrated()


@pytest.fixture
def committed_house(transactional_db: None, house: House) -> House:
    return house


def checks_of(client: Client, *, status: str) -> dict[str, dict[str, Any]]:
    response = client.get("/readyz")
    body = response.json()
    assert (body["status"], response.status_code) == (status, 503 if status == "unavailable" else 200), body
    assert "no-store" in response.headers["Cache-Control"]
    return body["checks"]


def alter_and_restart(version: ModelVersion, settings: Any) -> None:
    """One bit of one file of the version is another; the process has loaded nothing yet."""
    file = Path(settings.ARTIFACT_DIR, version.artifact, "arm_svd.factors.npy")
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    registry.reset()


def test_lives_without_a_database(client: Client) -> None:
    """The test has no access to one: a query would fail it."""
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies


def test_is_ready_with_a_model_and_signs_of_life(client: Client, committed_house: House) -> None:
    record_heartbeat("worker")
    record_heartbeat("beat")
    checks = checks_of(client, status="ok")
    assert set(checks) == {"database", "migrations", "model", "worker", "beat", "artifacts"}
    assert {check["status"] for check in checks.values()} == {"ok"}
    assert checks["model"]["version"]
    assert 0 <= checks["model"]["age_seconds"] < 60
    assert 0 <= checks["worker"]["age_seconds"] < 60


def test_is_degraded_without_a_model_worker_and_beat(client: Client, transactional_db: None) -> None:
    checks = checks_of(client, status="degraded")
    said = {name: check["detail"] for name, check in checks.items() if check["status"] != "ok"}
    assert said == {
        "model": "recipe standard has no version: popular films are shown;"
        " run manage.py train --recipe standard",
        "worker": "no sign of life yet: start it",
        "beat": "no sign of life yet: start it",
    }


def test_is_degraded_when_the_worker_fell_silent(client: Client, committed_house: House) -> None:
    record_heartbeat("beat")
    Heartbeat.objects.create(name="worker", at=timezone.now() - timedelta(minutes=4))
    worker = checks_of(client, status="degraded")["worker"]
    assert worker["detail"] == f"no sign of life for {worker['age_seconds']} seconds: start it"
    assert 240 <= worker["age_seconds"] < 300


def test_is_degraded_without_the_redis_it_should_have(
    client: Client, transactional_db: None, settings: Any
) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = NOBODY
    checks = checks_of(client, status="degraded")
    assert checks["cache"]["detail"] == (
        "Redis does not answer: each process counts throttles for itself; start Redis"
    )
    assert checks["broker"]["detail"] == "does not answer: tasks wait in the database; start the broker"


@pytest.mark.redis
def test_asks_the_redis_it_has(client: Client, transactional_db: None, settings: Any) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:6379/0"
    checks = checks_of(client, status="degraded")
    assert (checks["cache"]["status"], checks["broker"]["status"]) == ("ok", "ok")
    assert checks["broker"]["waiting"] >= 0


def test_is_degraded_when_models_cannot_be_saved(
    client: Client, transactional_db: None, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.ARTIFACT_DIR = tmp_path / "file" / "below"
    artifacts = checks_of(client, status="degraded")["artifacts"]
    assert artifacts["detail"] == "cannot be written (Not a directory): no model can be saved"


def test_says_which_version_serves_when_the_live_one_is_damaged(
    client: Client, committed_house: House, settings: Any
) -> None:
    record_heartbeat("worker")
    record_heartbeat("beat")
    before, live = ModelVersion.objects.get(status="live"), train()
    alter_and_restart(live, settings)
    model = checks_of(client, status="degraded")["model"]
    assert model["version"] == before.name
    assert model["detail"] == (
        f"the files of {live.name}, which is live, cannot be loaded (altered):"
        f" {before.name} serves instead; run manage.py train --recipe standard"
    )


def test_says_why_nothing_serves_when_the_only_version_is_damaged(
    client: Client, committed_house: House, settings: Any
) -> None:
    live = ModelVersion.objects.get(status="live")
    alter_and_restart(live, settings)
    assert checks_of(client, status="degraded")["model"]["detail"] == (
        f"the files of {live.name}, which is live, cannot be loaded (altered):"
        " popular films are shown; run manage.py train --recipe standard"
    )


def test_names_the_recipe_that_the_policy_asks_for(client: Client, committed_house: House) -> None:
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "wide"})
    assert checks_of(client, status="degraded")["model"]["detail"] == (
        "there is no recipe wide: popular films are shown; choose another one in the serving policy"
    )
    Recipe.objects.create(name="wide")
    monitored._lately.forget()
    assert checks_of(client, status="degraded")["model"]["detail"] == (
        "recipe wide has no version: popular films are shown; run manage.py train --recipe wide"
    )


def test_is_not_ready_while_a_migration_is_missing(client: Client, transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, app, name, applied FROM django_migrations WHERE app = 'events'")
        rows = cursor.fetchall()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'events'")
    try:
        checks = checks_of(client, status="unavailable")
    finally:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", rows)
    assert checks["migrations"] == {
        "status": "problem",
        "detail": "missing: run manage.py migrate",
    }


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The first part of two answers, the second hangs for as long as the test says."""
    seconds = [1.5]
    begun: list[float] = []

    def run() -> Iterator[Part]:
        begun.append(time.monotonic())
        yield ok("database", "answers")
        time.sleep(seconds[0])
        yield ok("migrations", "all run")

    monkeypatch.setattr(monitored, "DATABASE", Look(("database", "migrations"), run))
    monkeypatch.setattr(monitored, "SECONDS", 0.2)
    yield begun
    time.sleep(1.5)


def test_a_part_that_hangs_is_said_to_hang_and_the_answer_comes(
    client: Client, transactional_db: None, hanging: list[float]
) -> None:
    began = time.monotonic()
    checks = checks_of(client, status="unavailable")
    assert time.monotonic() - began < 1
    assert checks["database"]["status"] == "ok"
    assert checks["migrations"]["detail"] == "does not answer within 0.2 seconds"
    checks_of(client, status="unavailable")
    assert len(hanging) == 1, "a part that hangs is not asked a second time meanwhile"


def test_a_part_that_breaks_is_said_to_break_and_the_others_are_told() -> None:
    def broken() -> Iterator[Part]:
        raise ZeroDivisionError
        yield

    parts = look_at([Look(("one",), broken), Look(("two",), lambda: iter([ok("two", "fine")]))], seconds=1)
    assert [(part.name, part.says) for part in parts] == [
        ("one", "cannot be looked at (ZeroDivisionError): the log says why"),
        ("two", "fine"),
    ]
