"""Fits in a process of their own: its memory goes back to the system, and it has every core."""

import logging
import subprocess
import sys
import time

from django.conf import settings

from apps.training.models import TrainingRun, UpdateType
from apps.training.services.runs import REQUESTED, abandon_stale_runs, fail_run, request_run, take_up_run
from apps.training.services.update_logs import note_failure
from recommender_site import env

logger = logging.getLogger(__name__)

ERROR_CHARACTERS = 2_000


def start_run(*, recipe: str, trigger: str, update_type: UpdateType = UpdateType.FULL) -> TrainingRun:
    """The ended run of a fit. Raises ``Conflict`` while another run is alive."""
    return fit_requested(run_id=request_run(recipe=recipe, trigger=trigger, update_type=update_type).pk)


def fit_requested(*, run_id: int) -> TrainingRun:
    """Fits a requested run in a process of its own, waits, and returns the run as it ended.

    A run that somebody else took up is returned as it is: a message may come twice.
    """
    if take_up_run(run_id=run_id):
        began = time.perf_counter()
        error = _fit_in_process(run_id) or "The process ended without a result."
        run = TrainingRun.objects.select_related("recipe").get(pk=run_id)
        # The process says itself why it failed, unless it could not.
        if fail_run(run=run, error=error):
            note_failure(run=run, seconds=round(time.perf_counter() - began, 3), error=error)
            logger.error("run_process_failed run=%s", run_id)
    return TrainingRun.objects.get(pk=run_id)


def sweep_runs() -> list[int]:
    """Fits runs whose message was lost, and gives up those whose process died. Returns the former."""
    waiting = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING, phase=REQUESTED)
    taken = [fit_requested(run_id=run_id).pk for run_id in list(waiting.values_list("pk", flat=True))]
    abandon_stale_runs()
    return taken


def _fit_in_process(run_id: int) -> str:
    """What went wrong, empty when nothing did."""
    manage = str(settings.BASE_DIR / "manage.py")
    try:
        # Our own program and a number: nothing of it comes from outside.
        ended = subprocess.run(  # noqa: S603
            [sys.executable, manage, "train", "--run", str(run_id), "--json", "--skip-checks"],
            env=env.for_child(DJANGO_SETTINGS_MODULE=str(settings.SETTINGS_MODULE), WITHOUT_PAGES="true"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=settings.TRAINING_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"Stopped after {settings.TRAINING_TIMEOUT_SECONDS} seconds."
    if ended.returncode < 0:
        return f"The process was killed by signal {-ended.returncode}."
    return ended.stderr.decode(errors="replace")[-ERROR_CHARACTERS:].strip() if ended.returncode else ""
