"""Many slates through ``recommend()`` under a clock of the benchmark's own. Simulated traffic."""

import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.bandits.models import BanditPolicy
from apps.bandits.services import current_bandit
from apps.events.models import Surface
from apps.experiments.services import assign
from apps.recommendations.services import recommend
from apps.recommendations.slates import SlateRequest
from benchmarks.bandit_site.preparation import CUT, viewers_of

DAY_SECONDS = 86_400.0
MEAN_SESSION = 4
GAP_SECONDS = 60.0
"""Between two sessions, in the mean; slates of one are ten seconds apart."""
STEP = timedelta(seconds=10)
ZONES = tuple(ZoneInfo(name) for name in ("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Auckland"))


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def serve_slates(number: int, n_processes: int, n_slates: int, length: int) -> None:
    """Process ``number``'s part: ``n_slates`` for viewers of its own, each in turn for a session.

    A process reads what it believes once, says so and waits for a word before it serves, and keeps it:
    ``VERSION_TTL_SECONDS`` is a day of real time here instead of two seconds. Everything else is as it is on
    a site, counting included, and the slates' seeds are the system's.
    """
    settings.VERSION_TTL_SECONDS = DAY_SECONDS
    rng = random.Random(number)
    clock = Clock(BanditPolicy.objects.get().started_at)
    viewers = viewers_of(CUT)[number::n_processes]
    with patch("django.utils.timezone.now", clock):
        current_bandit(assign(None).strategy.arms)
        print("ready", flush=True)
        sys.stdin.readline()
        for n_of_session in _sessions(n_slates, clock, rng):
            viewer, zone = rng.choice(viewers), rng.choice(ZONES)
            for _ in range(n_of_session):
                recommend(SlateRequest(viewer, viewer.unit_key, Surface.API, n=length, timezone=zone))
                clock.at += STEP


def _sessions(n_slates: int, clock: Clock, rng: random.Random) -> Iterator[int]:
    """The lengths of sessions that add up to ``n_slates``; the clock goes on between them."""
    while n_slates > 0:
        length = min(n_slates, rng.randint(1, 2 * MEAN_SESSION - 1))
        yield length
        n_slates -= length
        clock.at += timedelta(seconds=rng.expovariate(1 / GAP_SECONDS))
