"""A Celery worker and beat as threads of the process that serves, for one machine without a broker."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from celery import Celery
from celery.beat import Service
from celery.worker import WorkController
from django.db import connection

from apps.core.beat import Scheduler

CONCURRENCY = 2
PREFETCH = 64
START_SECONDS = 10.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Embedded:
    """A service in a thread of its own."""

    thread: threading.Thread
    _stop: Callable[[], object]

    def stop(self) -> None:
        """Ends it. A task that still runs after ten seconds is left to its thread."""
        self._stop()
        self.thread.join(STOP_SECONDS)


def start_embedded_worker(app: Celery) -> Embedded:
    """A worker on two threads that takes tasks now. Raises ``RuntimeError`` when it does not start.

    Unlike the worker's own command a controller installs no signal handlers, which only the main
    thread may do, and leaves stdout alone. Queued tasks go when the process ends, and nothing is lost
    by that: a task is a nudge.
    """
    is_ready = threading.Event()
    controller = WorkController(
        app=app,
        pool="threads",
        concurrency=CONCURRENCY,
        prefetch_multiplier=PREFETCH // CONCURRENCY,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        ready_callback=lambda consumer: is_ready.set(),
    )
    thread = _start("worker", controller.start)
    if not is_ready.wait(START_SECONDS):
        controller.stop()
        raise RuntimeError("The embedded worker did not start; the log says why.")
    return Embedded(thread, controller.stop)


def start_embedded_beat(app: Celery) -> Embedded:
    """Beat on the schedule in the database; a change there is seen within a second or two."""
    service = Service(app, max_interval=1, scheduler_cls=Scheduler)
    return Embedded(_start("beat", service.start), service.stop)


def _start(name: str, run: Callable[[], object]) -> threading.Thread:
    def run_and_close() -> None:
        try:
            run()
        finally:
            connection.close()

    thread = threading.Thread(target=run_and_close, name=f"embedded-{name}", daemon=True)
    thread.start()
    return thread
