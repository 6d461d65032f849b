"""What workers do for the catalogue."""

from celery import shared_task

from apps.catalog.services import refresh_flags as refresh


@shared_task
def refresh_flags() -> int:
    """How many films' flags changed overnight."""
    return refresh().changed
