"""What workers do for preferences."""

from celery import shared_task
from django.utils import timezone

from apps.ratings.imports import pruning


@shared_task(time_limit=600)
def prune_imports() -> int:
    """How many previews and rows of imports were too old to keep."""
    return pruning.prune_imports(now=timezone.now())
