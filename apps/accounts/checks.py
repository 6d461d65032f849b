"""Settings of this room that can be wrong."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

_RATE = re.compile(r"[1-9][0-9]*/[smhd]")
_NEEDED = ("login_name", "login_address", "new_guest")


@register()
def check_throttle_rates(**_: Any) -> list[CheckMessage]:
    """Every rate reads like ``5/m``, and the log-in has its rates."""
    rates: dict[str, str] = settings.THROTTLE_RATES
    problems: list[CheckMessage] = [
        Error(f"THROTTLE_RATES[{name!r}] is {rate!r}; write it like '5/m'", id="accounts.E001")
        for name, rate in rates.items()
        if not _RATE.fullmatch(rate)
    ]
    missing = [name for name in _NEEDED if name not in rates]
    return problems + [Error(f"THROTTLE_RATES lacks {name!r}", id="accounts.E002") for name in missing]
