import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from apps.core.embedded import Embedded, start_embedded_beat, start_embedded_worker
from apps.core.models import Heartbeat
from apps.core.nudges import nudge
from apps.core.schedules import add_every
from apps.core.tasks import heartbeat
from recommender_site.celery import app
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(start: Callable[..., Embedded]) -> Iterator[Embedded]:
    service = start(app)
    try:
        yield service
    finally:
        service.stop()


def wait_for_heartbeat() -> Heartbeat:
    wait_until(Heartbeat.objects.filter(name="worker").exists, "a heartbeat")
    return Heartbeat.objects.get(name="worker")


def test_runs_tasks_beside_writing_threads_and_neither_loses_a_row() -> None:
    def write(writer: int) -> None:
        for number in range(25):
            Heartbeat.objects.create(name=f"{writer}-{number}", at=timezone.now())
        connection.close()

    with running(start_embedded_worker) as worker:
        threads = [threading.Thread(target=write, args=[writer]) for writer in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            nudge(heartbeat)
        for thread in threads:
            thread.join()
        assert timezone.now() - wait_for_heartbeat().at < timedelta(seconds=20)
    assert not worker.thread.is_alive()
    assert Heartbeat.objects.exclude(name="worker").count() == 100


def test_beat_runs_what_the_database_says() -> None:
    PeriodicTask.objects.all().delete()
    add_every(apps, "each second", "apps.core.tasks.heartbeat", every=timedelta(seconds=1))
    with running(start_embedded_worker), running(start_embedded_beat) as beat:
        assert wait_for_heartbeat().name == "worker"
    assert not beat.thread.is_alive()
