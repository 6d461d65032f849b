"""What every test shares: the database, a clean cache, and services that may be absent."""

import os
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from hypothesis import settings as hypothesis_settings
from zeal import zeal_context
from zeal.constants import initialize_app_registry
from zeal.patch import patch as watch_relations

SERVICES_REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1"
SERVICES = {"PostgreSQL": ("127.0.0.1", 5432), "Redis": ("127.0.0.1", 6379)}

# A slow machine is no failure; under CI the examples are the same each time.
hypothesis_settings.register_profile("marquee", deadline=None)
hypothesis_settings.load_profile("marquee")


def _answers(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(address) == 0


def pytest_sessionstart() -> None:
    absent = [
        f"{name} on {host}:{port}" for name, (host, port) in SERVICES.items() if not _answers((host, port))
    ]
    if SERVICES_REQUIRED and absent:
        pytest.exit(f"REQUIRE_SERVICES=1, but nothing answers as {' and '.join(absent)}", returncode=1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip("this run is on SQLite; make test REQUIRE_SERVICES=1 runs on PostgreSQL too")
    if item.get_closest_marker("redis") and not SERVICES_REQUIRED and not _answers(SERVICES["Redis"]):
        pytest.skip("Redis does not answer on 127.0.0.1:6379; REQUIRE_SERVICES=1 makes this an error")


@pytest.fixture(scope="session", autouse=True)
def artifact_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Model files of this run alone: a second run, or a second process of this one, has its own."""
    settings.ARTIFACT_DIR = tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="session", autouse=True)
def no_query_for_each_row() -> Iterator[None]:
    """An error in each request that reads the same relation row by row, of two rows already.

    Requests alone are watched: what a test itself reads in a loop costs nobody anything.
    """
    initialize_app_registry()
    watch_relations()
    answer = BaseHandler.get_response

    def watched(handler: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        with zeal_context():
            return answer(handler, request)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseHandler, "get_response", watched)
        # A log-in and a log-out read both before and after; the admin, the caller and the one shown.
        # A task that is saved tells beat so twice, by the package's own signal and method.
        # A merge is a form with two films.
        names = ("accounts.User", "accounts.Session", "django_celery_beat.PeriodicTasks", "catalog.Movie")
        once_each = [{"model": name, "field": "get()"} for name in names]
        patched.setattr(settings, "ZEAL_ALLOWLIST", once_each, raising=False)
        yield


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
