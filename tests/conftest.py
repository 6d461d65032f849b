"""What every test shares: the database, a clean cache, and services that may be absent."""

import os
import socket
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection

SERVICES_REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1"
SERVICES = {"PostgreSQL": ("127.0.0.1", 5432), "Redis": ("127.0.0.1", 6379)}


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


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
