"""A job's one line, under the id of the request that asked for it."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from celery import shared_task
from django.conf import settings

from apps.core.embedded import start_embedded_worker
from apps.core.jobs import logger as job_logger
from apps.core.logs import current_request_id, under_request_id
from apps.core.models import Heartbeat
from apps.core.nudges import nudge
from apps.core.tasks import heartbeat
from recommender_site.celery import app
from tests.core.test_queue import PUBLISHER, publish_heartbeat
from tests.processes import running, wait_until

SEEN: list[str] = []


@shared_task(name="tests.see_request_id")
def see_request_id() -> None:
    SEEN.append(current_request_id())


@shared_task(name="tests.break")
def break_down(person: str) -> None:
    raise ValueError(person)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    SEEN.clear()
    app.control.purge()
    caplog.set_level(logging.INFO, logger=job_logger.name)
    worker = start_embedded_worker(app)
    yield caplog
    worker.stop()


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [
        dict(record.fields)  # type: ignore[attr-defined] # log_fields put it there
        for record in caplog.records
        if record.name == job_logger.name and record.getMessage() == message
    ]


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_under_the_id_of_its_request(lines: pytest.LogCaptureFixture) -> None:
    with under_request_id("asked-for-it"):
        nudge(see_request_id)
    wait_until(lambda: told(lines, "job"), "the job's line")
    assert SEEN == ["asked-for-it"]
    (line,) = told(lines, "job")
    assert (line["task"], line["state"]) == ("tests.see_request_id", "SUCCESS")
    assert line["ms"] >= 0


@pytest.mark.django_db(transaction=True)
def test_a_job_that_no_request_asked_for_has_its_own_id(lines: pytest.LogCaptureFixture) -> None:
    nudge(see_request_id)
    wait_until(lambda: told(lines, "job"), "the job's line")
    assert [told(lines, "job")[0]["job"]] == SEEN


@pytest.mark.django_db(transaction=True)
def test_a_job_that_breaks_says_so_and_ends_as_failed(lines: pytest.LogCaptureFixture) -> None:
    nudge(break_down, "ursulaq")
    wait_until(lambda: told(lines, "job"), "the job's line")
    (failed,) = told(lines, "job_failed")
    assert (failed["task"], told(lines, "job")[0]["state"]) == ("tests.break", "FAILURE")


@pytest.mark.redis
def test_a_worker_of_production_writes_one_line_of_json_for_a_job(environment: dict[str, str]) -> None:
    publish_heartbeat(environment)
    with running(environment, "celery", "-A", "recommender_site", "--quiet", "worker") as worker:
        wait_until(Heartbeat.objects.filter(name="worker").exists, "a heartbeat")
        wait_until(lambda: '"message":"job"' in worker.said(), "the job's line")
        said = [json.loads(line) for line in worker.said().splitlines() if line.startswith("{")]
    (line,) = [line for line in said if line.get("task") == heartbeat.name]
    assert (line["logger"], line["state"]) == ("apps.core.jobs", "SUCCESS")
    assert line["request_id"] == line["job"]


@pytest.mark.redis
def test_the_id_crosses_from_one_process_to_another(environment: dict[str, str]) -> None:
    publisher = PUBLISHER.replace(
        "nudge(heartbeat)", "with under_request_id('of-the-request'): nudge(heartbeat)"
    )
    code = f"from apps.core.logs import under_request_id\n{publisher}"
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=settings.BASE_DIR, check=True)
    with running(environment, "celery", "-A", "recommender_site", "--quiet", "worker") as worker:
        wait_until(lambda: '"message":"job"' in worker.said(), "the job's line")
        assert '"request_id":"of-the-request"' in worker.said()
