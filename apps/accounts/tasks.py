"""What workers do about accounts."""

from celery import shared_task

from apps.accounts.services import clear_expired_sessions as clear


@shared_task(time_limit=300)
def clear_expired_sessions() -> int:
    """How many had run out."""
    return clear()
