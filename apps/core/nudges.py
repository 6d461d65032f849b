"""Asking a worker to look now. What must not be lost is in the database before anybody is asked."""

import logging
from functools import partial
from typing import Any

from celery.app.task import Task
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core import telemetry

logger = logging.getLogger(__name__)


def nudge(task: "Task[Any, Any]", *args: int | str) -> None:
    """Publishes ``task`` once the transaction at hand commits; at once outside of one.

    For edges only. Never raises: with the broker down the nudge is lost and counted, in less than
    100 ms, and the sweep that runs each minute finds the work in the database.
    """
    transaction.on_commit(partial(_publish, task, args))


def _publish(task: "Task[Any, Any]", args: tuple[int | str, ...]) -> None:
    try:
        task.apply_async(args=args)
    except OperationalError:
        telemetry.lost_nudges.inc()
        logger.warning("nudge_lost task=%s", task.name)
