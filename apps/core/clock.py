"""What time it is: the machine's, or a simulation's.

What serves a list, takes what is said of it or counts either asks here. A simulation moves its own clock, for
the code that runs within it alone: another thread goes on with the machine's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone


@dataclass(eq=False)
class SimulatedClock:
    """``at`` is aware; it stands still until it is moved."""

    at: datetime

    def move_to(self, at: datetime) -> None:
        """Raises ``ValueError`` for a time before the clock's: nothing in the log runs backwards."""
        if at < self.at:
            raise ValueError(f"a clock at {self.at} cannot go back to {at}")
        self.at = at

    def move_by(self, step: timedelta) -> None:
        self.move_to(self.at + step)


@dataclass(frozen=True)
class Deadline:
    """``ends`` in the seconds of ``clock``; None is the machine's."""

    clock: SimulatedClock | None
    ends: float

    @property
    def is_past(self) -> bool:
        """Also where another clock rules by now."""
        return _simulated.get() is not self.clock or _seconds() >= self.ends


_simulated: ContextVar[SimulatedClock | None] = ContextVar("simulated_clock", default=None)


def now() -> datetime:
    """Aware, in UTC on the machine's clock."""
    clock = _simulated.get()
    return timezone.now() if clock is None else clock.at


def deadline(seconds: float) -> Deadline:
    """That many seconds from now."""
    return Deadline(_simulated.get(), _seconds() + seconds)


@contextmanager
def simulated(clock: SimulatedClock) -> Iterator[SimulatedClock]:
    """Within it the time is that of ``clock``, which it gives back."""
    token = _simulated.set(clock)
    try:
        yield clock
    finally:
        _simulated.reset(token)


def _seconds() -> float:
    clock = _simulated.get()
    return time.monotonic() if clock is None else clock.at.timestamp()
