"""Time zones by their IANA names."""

import zoneinfo
from functools import cache


@cache
def zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of that name, or None: the name comes from outside and would be a path otherwise."""
    return zoneinfo.ZoneInfo(name) if name in zone_names() else None
