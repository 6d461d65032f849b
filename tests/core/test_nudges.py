import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.db import transaction

from apps.core.nudges import nudge
from apps.core.tasks import heartbeat
from tests.processes import production

PUBLISHER = """
import time, django
django.setup()
from apps.core import telemetry
from apps.core.nudges import nudge
from apps.core.tasks import heartbeat
def seconds():
    began = time.perf_counter()
    nudge(heartbeat)
    return time.perf_counter() - began
print(min(seconds() for _ in range(5)), telemetry.lost_nudges._value.get())
"""


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody who takes connections and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield int(silent.getsockname()[1])


def publish(port: int) -> tuple[float, int]:
    """Seconds of the quickest of five nudges from a web process, and how many were counted as lost.

    The quickest, because a busy machine can only make them slower.
    """
    ended = subprocess.run(
        [sys.executable, "-c", PUBLISHER],
        env=production(CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0", WEB_PROCESS="true"),
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seconds, lost = ended.stdout.split()
    return float(seconds), int(float(lost))


def test_a_broker_that_is_down_costs_under_100_ms(closed_port: int) -> None:
    seconds, lost = publish(closed_port)
    assert (seconds < 0.1, lost) == (True, 5)


def test_a_broker_that_hangs_costs_under_100_ms(silent_port: int) -> None:
    seconds, lost = publish(silent_port)
    assert (seconds < 0.1, lost) == (True, 5)


@pytest.mark.django_db(transaction=True)
def test_publishes_after_the_commit_and_never_for_what_was_rolled_back() -> None:
    take_waiting()  # what other tests of this process left
    with transaction.atomic():
        nudge(heartbeat)
        with transaction.atomic():
            nudge(heartbeat)
            transaction.set_rollback(True)
        assert take_waiting() == []
    assert take_waiting() == ["apps.core.tasks.heartbeat"]


def take_waiting() -> list[str]:
    """The names of the tasks in the queue, which is empty afterwards."""
    app = heartbeat.app
    with app.connection_for_write() as link:
        queue = app.amqp.queues[app.conf.task_default_queue].bind(link.default_channel)
        queue.declare()
        names = []
        while message := queue.get(no_ack=True):
            names.append(message.headers["task"])
        return names
