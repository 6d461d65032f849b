"""Each job's one line in the log, under the id of the request that asked for it."""

import logging
import time
from contextlib import ExitStack
from typing import Any

from celery import signals
from celery.app.task import Task

from apps.core.logs import NO_REQUEST, current_request_id, log_fields, under_request_id

logger = logging.getLogger(__name__)

HEADER = "marquee_request_id"


class _Job:
    """What one run of a task needs from its beginning to its end."""

    def __init__(self, request_id: str) -> None:
        self.began = time.perf_counter()
        self.stack = ExitStack()
        self.stack.enter_context(under_request_id(request_id))


_under_way: dict[str, _Job] = {}


def watch_jobs() -> None:
    """From here on published tasks carry the request's id, and workers write one line for each."""
    signals.setup_logging.connect(_leave_logging_alone, dispatch_uid="marquee.logging")
    signals.before_task_publish.connect(_carry, dispatch_uid="marquee.carry")
    signals.task_prerun.connect(_begin, dispatch_uid="marquee.begin")
    signals.task_failure.connect(_tell_failure, dispatch_uid="marquee.failure")
    signals.task_postrun.connect(_end, dispatch_uid="marquee.end")


def _leave_logging_alone(**_: Any) -> None:
    """Celery configures nothing while somebody listens here: Django's settings hold."""


def _carry(headers: dict[str, Any], **_: Any) -> None:
    if current_request_id() != NO_REQUEST:
        headers[HEADER] = current_request_id()


def _begin(task_id: str, task: "Task[Any, Any]", **_: Any) -> None:
    # A job that no request asked for is its own beginning.
    _under_way[task_id] = _Job(str(task.request.get(HEADER) or task_id))


def _tell_failure(task_id: str, exception: BaseException, sender: "Task[Any, Any]", **_: Any) -> None:
    logger.error("job_failed", extra=log_fields(task=sender.name, job=task_id), exc_info=exception)


def _end(task_id: str, task: "Task[Any, Any]", state: str | None = None, **_: Any) -> None:
    job = _under_way.pop(task_id, None)
    if job is None:
        return
    milliseconds = round((time.perf_counter() - job.began) * 1000, 1)
    logger.info("job", extra=log_fields(task=task.name, job=task_id, state=state, ms=milliseconds))
    job.stack.close()
