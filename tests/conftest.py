"""What every test shares: the database, a clean cache, and services that may be absent."""

import os
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from hypothesis import settings as hypothesis_settings

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


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
