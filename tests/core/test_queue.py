"""Production's queue: a publisher and workers, each a process of its own, and Redis between them."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager

import pytest
from celery import Celery
from django.conf import settings
from django.db import transaction
from redis import Redis

from apps.core.models import Heartbeat
from apps.core.services import record_heartbeat
from apps.core.tasks import WORKER, heartbeat
from tests.processes import Program, running, wait_until

pytestmark = pytest.mark.redis

PUBLISHER = """
import django
django.setup()
from apps.core.nudges import nudge
from apps.core.tasks import heartbeat
nudge(heartbeat)
"""


def publish_heartbeat(environment: Mapping[str, str]) -> None:
    """As a web process does, with its short patience."""
    subprocess.run(
        [sys.executable, "-c", PUBLISHER],
        env={**environment, "WEB_PROCESS": "true"},
        cwd=settings.BASE_DIR,
        timeout=60,
        check=True,
    )


def worker(environment: Mapping[str, str]) -> AbstractContextManager[Program]:
    return running(environment, "celery", "-A", "recommender_site", "worker")


def under_way(environment: Mapping[str, str]) -> list[str]:
    """The names of the tasks that workers are in the middle of."""
    asking = Celery(broker=environment["CELERY_BROKER_URL"], set_as_current=False)
    answers = asking.control.inspect(limit=1).active() or {}
    asking.close()
    return [task["name"] for tasks in answers.values() for task in tasks]


def unfinished(redis: Redis) -> tuple[int, int]:
    """How many tasks wait, and how many a worker has taken and not finished."""
    return redis.llen("celery"), redis.hlen("unacked")


def test_a_worker_does_what_another_process_asked_for(
    environment: dict[str, str], redis_database: Redis
) -> None:
    publish_heartbeat(environment)
    assert unfinished(redis_database) == (1, 0)
    with worker(environment):
        wait_until(Heartbeat.objects.filter(name=WORKER).exists, "a heartbeat")
        wait_until(lambda: unfinished(redis_database) == (0, 0), "the task acknowledged")


def test_what_a_killed_worker_had_begun_is_finished_by_another(
    environment: dict[str, str], redis_database: Redis
) -> None:
    environment["DJANGO_SETTINGS_MODULE"] = "tests.core.queue_settings"
    publish_heartbeat(environment)
    with worker(environment) as first, transaction.atomic():
        record_heartbeat(WORKER)  # not committed, so the worker's own has to wait in its middle
        wait_until(lambda: under_way(environment) == [heartbeat.name], "a worker in the middle of it")
        first.kill()
        transaction.set_rollback(True)
    assert (unfinished(redis_database), Heartbeat.objects.exists()) == ((0, 1), False)
    with worker(environment):
        wait_until(Heartbeat.objects.filter(name=WORKER).exists, "a heartbeat of the second worker")
        wait_until(lambda: unfinished(redis_database) == (0, 0), "the task acknowledged")
