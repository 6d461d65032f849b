"""How often something may happen: sliding windows over the shared cache."""

import math
import time

from django.conf import settings
from django.core.cache import cache

from apps.core.errors import TooMany

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def allow(scope: str, who: str) -> float | None:
    """Counts one act of ``who`` in ``scope`` (a name in ``settings.THROTTLE_RATES``).

    Returns None when it is within the rate, else the seconds until it will be again. The window
    slides: the last one weighs in by the part of it that still overlaps. Two cache calls, each
    atomic, so that processes sharing a cache share the count.
    """
    limit, seconds = _parse(settings.THROTTLE_RATES[scope])
    now = time.time()
    window, into = divmod(now, seconds)
    key = f"rate:{scope}:{who}"
    previous = cache.get(f"{key}:{int(window) - 1}", 0)
    current = _increment(f"{key}:{int(window)}", seconds * 2)
    if previous * (1 - into / seconds) + current <= limit:
        return None
    return _wait(previous, current, limit=limit, seconds=seconds) - into


def enforce(scope: str, who: str, *, refusal: str) -> None:
    """As ``allow``, but raises ``TooMany`` with the sentence ``refusal``, which ends without a stop."""
    wait = allow(scope, who)
    if wait is not None:
        seconds = max(1, math.ceil(wait))
        unit = "second" if seconds == 1 else "seconds"
        raise TooMany(f"{refusal}: try again in {seconds} {unit}", retry_after=seconds)


def _wait(previous: int, current: int, *, limit: int, seconds: int) -> float:
    """Seconds from the start of this window until one more act would be within the limit."""
    if current < limit:
        return seconds * (1 - (limit - current - 1) / previous)
    return seconds + seconds * (1 - (limit - 1) / current)


def _increment(key: str, lifetime: int) -> int:
    cache.add(key, 0, lifetime)
    try:
        return int(cache.incr(key))
    except ValueError:  # it expired between the two calls
        cache.set(key, 1, lifetime)
        return 1


def _parse(rate: str) -> tuple[int, int]:
    count, period = rate.split("/")
    return int(count), _SECONDS[period]
