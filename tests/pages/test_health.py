"""The probes."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.pages import health
from tests.house import House


@pytest.fixture(autouse=True)
def forgotten() -> None:
    health._found_migrated.cache_clear()


def test_lives_without_a_database(client: Client) -> None:
    """The test has no access to one: a query would fail it."""
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]
    assert not response.cookies


def test_is_ready_with_a_model(client: Client, house: House) -> None:
    checks = {"database": "ok", "migrations": "ok", "model": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "checks": checks}


def test_is_degraded_without_a_model(client: Client, db: None) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["model"] == "none: run manage.py train"


def test_is_degraded_without_the_redis_it_should_have(client: Client, db: None, settings: Any) -> None:
    nobody = "redis://127.0.0.1:1/0"
    settings.REDIS_URL = nobody
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": nobody}
    }
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["redis"] == "does not answer"


def test_is_not_ready_while_a_migration_is_missing(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'events'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "missing: run manage.py migrate"
