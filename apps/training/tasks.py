"""What workers do for training."""

from celery import shared_task
from django.conf import settings

from apps.core.errors import Conflict
from apps.training.services import fit_requested, start_retrain, sweep_runs


@shared_task
def retrain() -> str:
    """The nightly fit."""
    if not settings.AUTO_UPDATE:
        return "AUTO_UPDATE is off"
    try:
        return start_retrain(trigger="nightly").status
    except Conflict as refusal:
        return refusal.detail


@shared_task
def fit(run_id: int) -> str:
    """A fit that somebody requested."""
    return fit_requested(run_id=run_id).status


@shared_task
def sweep() -> list[int]:
    """Requested fits whose message was lost."""
    return sweep_runs()
