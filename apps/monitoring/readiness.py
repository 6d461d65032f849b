"""Whether viewers are served, and as well as they should be."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.cached import Brief
from apps.monitoring.parts.database import DATABASE
from apps.monitoring.parts.looking import look_at
from apps.monitoring.parts.part import Part, State
from apps.monitoring.parts.shared import configured

SECONDS = 2.0
NEEDED = frozenset({"database", "migrations"})


@dataclass(frozen=True)
class Readiness:
    """``ok``; ``degraded`` while viewers are served worse than they should be; else ``unavailable``."""

    parts: Sequence[Part]

    @property
    def status(self) -> str:
        failing = {part.name for part in self.parts if part.state is State.PROBLEM}
        if failing & NEEDED:
            return "unavailable"
        return "degraded" if failing else "ok"


def _look() -> Readiness:
    return Readiness(look_at([DATABASE, *configured()], seconds=SECONDS))


_lately = Brief(_look)


def readiness() -> Readiness:
    """As it was within the last two seconds: who asks more often costs nothing more."""
    return _lately.get()
