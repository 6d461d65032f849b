"""A run from its request to its end. Every step is a conditional UPDATE, so no two processes share one."""

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.core.errors import Conflict
from apps.training.artifacts import discard_artifact
from apps.training.corpus import discard_corpus
from apps.training.models import ModelVersion, TrainingRun, UpdateType
from apps.training.services.locking import AlreadyRunning, is_lock_free
from apps.training.services.recipes import find_recipe
from apps.training.services.update_logs import note_failure

logger = logging.getLogger(__name__)

_NAME = re.compile(r"\d{8}T\d{6}-(\d{1,18})")

REQUESTED = "requested"
TAKEN_UP = "taken up"
STALE_AFTER = timedelta(minutes=4)
"""The sweep of each minute finds it then, so that no run that died lasts five."""
BEAT_SECONDS = 30.0
MISSED_BEATS = timedelta(seconds=2.5 * BEAT_SECONDS)
"""Without a sign for so long a run is dead if nobody holds the lock of training either."""


def request_run(*, recipe: str, trigger: str, update_type: UpdateType = UpdateType.FULL) -> TrainingRun:
    """A run that waits for a process to take it up.

    Raises ``AlreadyRunning`` while any run of the site shows signs of life.
    """
    chosen = find_recipe(recipe)
    abandon_stale_runs()
    try:
        with transaction.atomic():
            return TrainingRun.objects.create(
                recipe=chosen, trigger=trigger, update_type=update_type, phase=REQUESTED
            )
    except IntegrityError:
        raise AlreadyRunning(
            f"Training is already running{_which_is_running()}: one run at a time;"
            " start again when it has ended."
        ) from None


def take_up_run(*, run_id: int) -> bool:
    """Whether the requested run is now the caller's to fit, rather than somebody else's or ended."""
    return _advance(run_id, before=REQUESTED, after=TAKEN_UP)


def begin_run(*, run_id: int) -> TrainingRun:
    """The run that was taken up, now begun. Raises ``Conflict`` when it is not waiting for that."""
    if not _advance(run_id, before=TAKEN_UP, after="started"):
        raise Conflict(f"Run {run_id} is not waiting to be fitted; start one with manage.py train.")
    return TrainingRun.objects.select_related("recipe").get(pk=run_id)


def enter_phase(*, run: TrainingRun, phase: str, **told: Any) -> None:
    """Says what the run is at; ``told`` is the rest of its row, as ``Work.told``.

    Raises ``Conflict`` when it was given up for dead meanwhile.
    """
    if not _running(run.pk).update(phase=phase[:40], heartbeat_at=timezone.now(), **told):
        raise Conflict(f"Run {run.pk} was given up meanwhile; its result is thrown away.")


def succeed_run(*, run: TrainingRun, **told: Any) -> None:
    """``told`` as ``Work.told``. Raises ``Conflict`` when the run was given up for dead meanwhile."""
    if not _end(_running(run.pk), TrainingRun.Status.SUCCEEDED, **told):
        raise Conflict(f"Run {run.pk} was given up meanwhile; its result is thrown away.")


def refuse_run(*, run: TrainingRun, error: str, **told: Any) -> None:
    """Ends the run of a version that failed its checks; raises as ``succeed_run``."""
    if not _end(_running(run.pk), TrainingRun.Status.REFUSED, error=error, **told):
        raise Conflict(f"Run {run.pk} was given up meanwhile; its result is thrown away.")


def fail_run(*, run: TrainingRun, error: str, **told: Any) -> bool:
    """Whether the run was still running, and now has failed and left nothing on disk. Without ``told``, its
    row keeps what it last said."""
    failed = _end(_running(run.pk), TrainingRun.Status.FAILED, error=error, **told)
    if failed:
        _discard_leftovers(run)
    return failed


def abandon_stale_runs() -> list[int]:
    """Gives up runs whose process died, with what it left on disk. Returns their ids."""
    error = "There was no sign of life any more: its process is gone."
    abandoned = []
    for run in _silent().select_related("recipe"):
        # Asked again row by row: the process may have spoken since.
        if _end(_silent().filter(pk=run.pk), TrainingRun.Status.ABANDONED, error=error):
            _discard_leftovers(run)
            spent = timezone.now() - run.started_at
            note_failure(run=run, seconds=round(spent.total_seconds(), 3), error=error)
            abandoned.append(run.pk)
    return abandoned


def artifact_name(run: TrainingRun) -> str:
    """The name of the version that ``run`` makes: when it began, and the run's number."""
    return f"{run.started_at:%Y%m%dT%H%M%S}-{run.pk}"


def made_here(names: Iterable[str]) -> set[str]:
    """Those of the names that runs of this database gave: another site may keep its files beside ours."""
    numbers = {name: int(found[1]) for name in names if (found := _NAME.fullmatch(name))}
    runs = TrainingRun.objects.in_bulk(set(numbers.values()))
    return {
        name for name, number in numbers.items() if number in runs and artifact_name(runs[number]) == name
    }


def artifact_path(name: str) -> Path:
    return Path(settings.ARTIFACT_DIR) / name


@contextmanager
def signs_of_life(run: TrainingRun) -> Iterator[None]:
    """Keeps the run from counting as dead during a fit of hours in which it does not speak."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run.pk, ended), name=f"run-{run.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _which_is_running() -> str:
    running = TrainingRun.objects.select_related("recipe").filter(status=TrainingRun.Status.RUNNING).first()
    # It may have ended since it was in the way.
    return f" (run {running.pk} of recipe {running.recipe.name!r}, {running.phase})" if running else ""


def _running(run_id: int) -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(pk=run_id, status=TrainingRun.Status.RUNNING)


def _silent() -> QuerySet[TrainingRun]:
    """Runs that nobody is at any more, for all that is known."""
    seen_at, now = Coalesce("heartbeat_at", "started_at"), timezone.now()
    silent = Q(seen_at__lt=now - STALE_AFTER)
    if is_lock_free():
        # Whoever fits holds the lock, and writes every half minute.
        begun = ~Q(phase__in=(REQUESTED, TAKEN_UP))
        silent |= begun & Q(seen_at__lt=now - MISSED_BEATS)
    running = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING)
    return running.annotate(seen_at=seen_at).filter(silent)


def _advance(run_id: int, *, before: str, after: str) -> bool:
    waiting = _running(run_id).filter(phase=before)
    return bool(waiting.update(phase=after, heartbeat_at=timezone.now()))


def _end(alive: QuerySet[TrainingRun], status: TrainingRun.Status, **told: Any) -> bool:
    return bool(alive.update(status=status, finished_at=timezone.now(), **told))


def _discard_leftovers(run: TrainingRun) -> None:
    name = artifact_name(run)
    if not ModelVersion.objects.filter(artifact=name).exists():
        discard_artifact(artifact_path(name))
        discard_corpus(name)


def _beat(run_id: int, ended: threading.Event) -> None:
    try:
        while not ended.wait(BEAT_SECONDS):
            _say_alive(run_id)
    finally:
        connection.close()


def _say_alive(run_id: int) -> None:
    """Once more at the next beat where the database does not answer: one that is lost condemns no run."""
    try:
        _running(run_id).update(heartbeat_at=timezone.now())
    except DatabaseFailure:
        logger.exception("run_heartbeat_failed run=%s", run_id)
        connection.close()
