"""What processes share besides the database: Redis, the broker, the folder of model files."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from kombu import Connection
from kombu.exceptions import ChannelError, OperationalError
from redis import Redis
from redis.exceptions import RedisError

from apps.core.checks import PER_PROCESS_BROKER
from apps.monitoring.parts.looking import Look
from apps.monitoring.parts.part import Part, ok, problem

PATIENCE_SECONDS = 1
QUEUE = "celery"


def configured() -> list[Look]:
    """Those that this installation has: without REDIS_URL each process has its own cache and queue."""
    looks = [Look(("artifacts",), _artifacts)]
    if settings.REDIS_URL:
        looks.append(Look(("cache",), _cache))
    if not settings.CELERY_BROKER_URL.startswith(PER_PROCESS_BROKER):
        looks.append(Look(("broker",), _broker))
    return looks


def queue_depth() -> int:
    """Tasks that wait for a worker. Raises ``OperationalError`` or ``OSError`` when nobody answers."""
    link = Connection(
        settings.CELERY_BROKER_URL,
        connect_timeout=PATIENCE_SECONDS,
        transport_options={
            "socket_timeout": PATIENCE_SECONDS,
            "socket_connect_timeout": PATIENCE_SECONDS,
            "max_retries": 1,
        },
    )
    with link:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE_SECONDS)
        try:
            channel: Any = link.default_channel  # the stubs know no declaring
            return int(channel.queue_declare(QUEUE, passive=True).message_count)
        except ChannelError:  # Redis keeps no queue that is empty
            return 0


def _cache() -> Iterator[Part]:
    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    try:
        with Redis.from_url(settings.REDIS_URL, **patience) as redis:
            redis.ping()
    except (RedisError, OSError):
        yield problem("cache", "Redis does not answer: each process counts throttles for itself; start Redis")
    else:
        yield ok("cache", "answers")


def _broker() -> Iterator[Part]:
    try:
        waiting = queue_depth()
    except (OperationalError, OSError):
        yield problem("broker", "does not answer: tasks wait in the database; start the broker")
    else:
        yield ok("broker", "answers", waiting=waiting)


def _artifacts() -> Iterator[Part]:
    folder = Path(settings.ARTIFACT_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".writable-", dir=folder)
        try:
            os.write(handle, b"1")
        finally:
            os.close(handle)
            Path(name).unlink()
    except OSError as error:
        yield problem("artifacts", f"cannot be written ({error.strerror}): no model can be saved")
    else:
        yield ok("artifacts", "can be written")
