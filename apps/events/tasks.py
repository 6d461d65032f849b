"""Upkeep of the log. Safe to run twice; a run that is lost is made up for by the next."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.events import services


@shared_task(time_limit=300)
def expire_pending() -> int:
    """Closes impressions that nobody answered."""
    return services.expire_pending(now=timezone.now())


@shared_task(time_limit=300)
def roll_up_movie_days(days: int = 2) -> int:
    """Counts the last ``days`` UTC days of the log by film and surface; today is one of them."""
    today = timezone.now().date()
    return services.roll_up_movie_days(first=today - timedelta(days=days - 1), last=today)
