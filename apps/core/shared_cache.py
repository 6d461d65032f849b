"""A cache that all processes share, and that none of them waits or fails for."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from apps.core import telemetry

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.1
REST_SECONDS = 1.0
"""How long Redis is left alone after it failed: a server that hangs costs one call of many."""
MAX_ENTRIES = 10_000

# By address, for the whole process: Django makes a cache for each thread.
_rests_until: dict[str, float] = {}


def _or_own(name: str) -> Callable[..., Any]:
    asked, own = getattr(RedisCache, name), getattr(LocMemCache, name)

    def call(cache: "SharedCache", *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= _rests_until.get(cache.address, 0.0):
            try:
                return asked(cache, *args, **kwargs)
            except (RedisError, OSError) as error:
                cache.rest(error)
        return own(cache.own, *args, **kwargs)

    call.__name__ = name
    return call


class SharedCache(RedisCache):
    """Redis; while it does not answer, a cache of the process's own, so that throttles count on there.

    What either holds is for moments, so nothing is carried over.
    """

    def __init__(self, server: str, params: Mapping[str, Any]) -> None:
        patience = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
        super().__init__(server, {**params, "OPTIONS": patience | params.get("OPTIONS", {})})
        self.address = str(server)
        self.own = LocMemCache(self.address, {**params, "OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def rest(self, error: Exception) -> None:
        """Called while the error is handled."""
        _rests_until[self.address] = time.monotonic() + REST_SECONDS
        telemetry.cache_errors.inc()
        logger.warning("cache_failed error=%s", type(error).__name__)

    add = _or_own("add")
    get = _or_own("get")
    set = _or_own("set")
    touch = _or_own("touch")
    delete = _or_own("delete")
    get_many = _or_own("get_many")
    has_key = _or_own("has_key")
    incr = _or_own("incr")
    set_many = _or_own("set_many")
    delete_many = _or_own("delete_many")
    clear = _or_own("clear")
