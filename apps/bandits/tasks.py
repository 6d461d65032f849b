"""Upkeep of the bandit. Safe to run twice."""

import logging

from celery import shared_task
from django.utils import timezone

from apps.bandits import services

logger = logging.getLogger(__name__)


@shared_task
def check_bandits() -> int:
    """How many cells differ from the log, of all versions."""
    differing = {one.version: len(one.differing) for one in services.check_all() if one.differing}
    for version, number in differing.items():
        logger.error("bandit_differs version=%s cells=%s", version, number)
    return sum(differing.values())


@shared_task
def renew_landmarks() -> list[int]:
    """Versions begun, since weights had grown large."""
    return services.renew_landmarks(now=timezone.now())
