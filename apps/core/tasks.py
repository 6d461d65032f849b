"""The sign of life of the workers."""

from celery import shared_task

from apps.core.services import record_heartbeat

WORKER = "worker"


@shared_task
def heartbeat() -> str:
    return record_heartbeat(WORKER).at.isoformat()
