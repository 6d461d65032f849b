"""The cache that all processes share, and what happens without it."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from prometheus_client import REGISTRY
from redis import Redis

from apps.core import shared_cache
from apps.core.rates import allow


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    shared_cache._rests_until.clear()
    yield
    shared_cache._rests_until.clear()


def use(settings: Any, address: str) -> None:
    settings.CACHES = {"default": {"BACKEND": "apps.core.shared_cache.SharedCache", "LOCATION": address}}


@pytest.fixture
def silent() -> Iterator[str]:
    """Somebody who takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def failures() -> float:
    return REGISTRY.get_sample_value("marquee_cache_errors_total") or 0.0


@pytest.mark.redis
def test_is_redis_while_redis_answers(settings: Any, redis_database: Redis) -> None:
    number = redis_database.connection_pool.connection_kwargs["db"]
    use(settings, f"redis://127.0.0.1:6379/{number}")
    cache.set("film", [1, 2])
    assert cache.get("film") == [1, 2]
    assert redis_database.keys("*film*")


@pytest.mark.parametrize("server", ["refuses", "hangs"])
def test_throttles_count_on_without_redis(settings: Any, silent: str, server: str) -> None:
    use(settings, silent if server == "hangs" else "redis://127.0.0.1:1/0")
    before, began = failures(), time.monotonic()
    waits = [allow("login_name", "ada") for _ in range(7)]
    assert waits[:5] == [None] * 5
    assert all(wait is not None for wait in waits[5:])
    assert time.monotonic() - began < 1
    # Left alone after it failed once.
    assert failures() == before + 1


@pytest.mark.django_db
def test_the_api_answers_without_redis(settings: Any, client: Client) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    assert client.get("/api/v1/movies").status_code == 200


def test_every_call_is_answered_without_redis(settings: Any) -> None:
    use(settings, "redis://127.0.0.1:1/0")
    assert cache.add("a", 1)
    assert cache.get_many(["a", "b"]) == {"a": 1}
    assert cache.set_many({"b": 2}) == []
    assert (cache.incr("b"), cache.has_key("b"), cache.touch("b", 5)) == (3, True, True)
    cache.delete_many(["b"])
    assert (cache.get("b"), cache.delete("a")) == (None, True)
    cache.set("c", 1)
    cache.clear()
    assert cache.get("c") is None


@pytest.mark.redis
def test_goes_back_to_redis_when_it_answers_again(
    settings: Any, redis_database: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = redis_database.connection_pool.connection_kwargs["db"]
    address = f"redis://127.0.0.1:6379/{number}"
    use(settings, address)
    shared_cache._rests_until[address] = time.monotonic() + 0.2
    cache.set("before", 1)
    time.sleep(0.25)
    cache.set("after", 1)
    assert [key.decode().rpartition(":")[2] for key in redis_database.keys("*:*")] == ["after"]
