"""Beat on the schedule in the database, with a sign of life of its own."""

import logging
import time
from typing import Any

from django.db import DatabaseError, close_old_connections
from django_celery_beat.schedulers import DatabaseScheduler

from apps.core.nudges import nudge
from apps.core.services import record_heartbeat
from apps.core.tasks import heartbeat

logger = logging.getLogger(__name__)

BEAT = "beat"
HEARTBEAT_SECONDS = 30.0


class Scheduler(DatabaseScheduler):  # type: ignore[misc] # the package ships no types
    """Says every half minute that beat is alive, and asks the worker for its sign at the start.

    The worker's sign comes through the queue, so it alone could not tell which of the two is dead.
    """

    _next_heartbeat = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.monotonic()
        if now >= self._next_heartbeat:
            if not self._next_heartbeat:
                nudge(heartbeat)
            self._next_heartbeat = now + HEARTBEAT_SECONDS
            self._say_alive()
        return float(super().tick(*args, **kwargs))

    def _say_alive(self) -> None:
        close_old_connections()
        try:
            record_heartbeat(BEAT)
        except DatabaseError:  # beat outlives a database that restarts
            logger.exception("beat_heartbeat_failed")
