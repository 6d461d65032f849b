"""What workers do for staff. Safe to run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.monitoring import services


@shared_task(time_limit=600)
def record_drift(days: int = 2) -> int:
    """Rows worked out of the last ``days`` UTC days that have ended."""
    today = timezone.now().date()
    return sum(services.record_drifts(day=today - timedelta(days=ago)) for ago in range(days, 0, -1))
