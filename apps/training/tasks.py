"""What workers do for training."""

from typing import Any

from celery import shared_task
from celery.app.task import Task
from django.conf import settings

from apps.core.errors import NotFound
from apps.experiments.policy import recipes_in_use
from apps.training.services import (
    clean_up,
    fit_requested,
    fit_tonight,
    forget_the_departed,
    reconcile_bandits,
    reconcile_rollouts,
    sweep_runs,
    update_due,
)
from apps.training.services.locking import AlreadyRunning
from apps.training.services.proposing import propose_candidate


@shared_task(bind=True, max_retries=12, default_retry_delay=300)
def retrain(self: "Task[Any, Any]") -> str:
    """The nightly fit of every recipe that serves anybody, one after the other; later where an update is in
    its way."""
    if not settings.AUTO_UPDATE:
        return "AUTO_UPDATE is off"
    try:
        return " ".join(_fit_nightly(recipe) for recipe in sorted(recipes_in_use()))
    except AlreadyRunning as running:
        raise self.retry(exc=running) from running


def _fit_nightly(recipe: str) -> str:
    try:
        return fit_tonight(recipe=recipe)
    except NotFound as refusal:
        return refusal.detail


@shared_task
def fit(run_id: int) -> str:
    """A fit that somebody requested; then what became due while it ran."""
    status = fit_requested(run_id=run_id).status
    update_due()
    return status


@shared_task
def update() -> list[int]:
    """Updates that are due and that no message asked for; and people who left are forgotten."""
    ended = [run.pk for run in update_due()]
    forget_the_departed()
    return ended


@shared_task
def update_all() -> list[int]:
    """Updates of all that serves and has anything to learn."""
    return [run.pk for run in update_due(whatever_waits=True)]


@shared_task
def sweep() -> list[int]:
    """Requested fits whose message was lost; how rollouts go on; and whether arms of the bandit are made
    otherwise by now."""
    swept = sweep_runs()
    reconcile_rollouts()
    reconcile_bandits()
    return swept


@shared_task
def clean() -> int:
    """Files of versions that nobody will go back to; how many folders went."""
    cleaned = clean_up()
    return len(cleaned.versions) + len(cleaned.folders) + len(cleaned.corpora)


@shared_task
def tune() -> str:
    """The weekly search for better parameters of the recipe that serves."""
    return propose_candidate()
