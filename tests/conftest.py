"""What every test shares: the database, a clean cache, and services that may be absent."""

import os
import socket
from collections.abc import Iterator

import pytest
from django.core.cache import cache

SERVICES_REQUIRED = os.environ.get("REQUIRE_SERVICES") == "1"
POSTGRES = ("127.0.0.1", 5432)
REDIS = ("127.0.0.1", 6379)


def _answers(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(address) == 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, name, address in (("postgres", "PostgreSQL", POSTGRES), ("redis", "Redis", REDIS)):
        if item.get_closest_marker(marker) and not SERVICES_REQUIRED and not _answers(address):
            pytest.skip(
                f"{name} does not answer on {address[0]}:{address[1]}; REQUIRE_SERVICES=1 makes this an error"
            )


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
