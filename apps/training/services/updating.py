"""Updates that are due: what calls for them is counted from the database, so none is lost with a message."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.core.errors import Conflict, NotFound
from apps.experiments.policy import recipes_in_use
from apps.ratings.services import forget_departures
from apps.training.backlog import COMPACTION, ERASURE, backlog, has_erasures, is_loose
from apps.training.catching_up import OVERLAP
from apps.training.models import ModelVersion, TrainingRun, UpdateType
from apps.training.services.cleaning import discard_corpora
from apps.training.services.holding import held_recipes
from apps.training.services.locking import AlreadyRunning
from apps.training.services.runs import request_run
from apps.training.services.starting import start_run

NIGHTLY = "nightly"
NIGHT = timedelta(hours=2)
"""Longer than a nightly fit that found others in its way is put off."""
_Status = TrainingRun.Status


def request_if_due(recipe: str, trigger: str) -> TrainingRun | None:
    """A run that waits for a process to take it up, where ``trigger`` (``Backlog``) says that one is due.

    None where ``AUTO_UPDATE`` is off, for a recipe that is held, and while another run is alive: what is due
    then is found when that has ended.
    """
    if not (trigger and settings.AUTO_UPDATE):
        return None
    # While an update lasts every act on the site comes by here.
    if TrainingRun.objects.filter(status=_Status.RUNNING).exists():
        return None
    if recipe in held_recipes():
        return None
    try:
        return request_run(recipe=recipe, trigger=trigger, update_type=UpdateType.WARM_START)
    except (Conflict, NotFound):
        return None


def update_due(*, whatever_waits: bool = False) -> list[TrainingRun]:
    """Updates each recipe that serves and of which an update is due, one after the other, in processes of
    their own; the ended runs. With ``whatever_waits`` one rating is enough.

    Stops at a run that is alive already.
    """
    ended: list[TrainingRun] = []
    for recipe, trigger in _due(whatever_waits) if settings.AUTO_UPDATE else ():
        try:
            ended.append(start_run(recipe=recipe, trigger=trigger, update_type=UpdateType.WARM_START))
        except NotFound:
            continue
        except Conflict:
            break
    return ended


def fit_tonight(*, recipe: str) -> str:
    """What came of the nightly fit, which is made once however many ask for it.

    Raises ``AlreadyRunning`` while another run is in its way, ``NotFound`` for a recipe that is gone.
    """
    if recipe in held_recipes():
        return "held"
    tonight = TrainingRun.objects.filter(recipe__name=recipe, trigger=NIGHTLY)
    begun = tonight.filter(started_at__gt=timezone.now() - NIGHT).exclude(status=_Status.ABANDONED)
    if not begun.exists():
        try:
            return start_run(recipe=recipe, trigger=NIGHTLY).status
        except AlreadyRunning:
            if not begun.exists():
                raise
    return "fitted already"


def forget_the_departed() -> int:
    """Removes what still holds ratings of people who left and whom no update will forget; then their numbers
    where nothing holds them any more. How many numbers went.
    """
    serving = recipes_in_use() - held_recipes() if settings.AUTO_UPDATE else frozenset()
    live = ModelVersion.objects.filter(status=ModelVersion.Status.LIVE).select_related("recipe")
    idle = [version for version in live if version.recipe.name not in serving]
    stale = {version.pk for version in idle if has_erasures(version.recipe.name)}
    kept = [version for version in live if version.pk not in stale]
    if stale:
        discard_corpora(but={version.name for version in kept})
    marks = [version.read_at for version in kept]
    return forget_departures(before=min(marks) - 2 * OVERLAP) if marks else 0


def _due(whatever_waits: bool) -> Iterator[tuple[str, str]]:
    for recipe in sorted(recipes_in_use() - held_recipes()):
        counted = backlog(recipe)
        if counted.trigger:
            yield recipe, counted.trigger
        elif has_erasures(recipe):
            yield recipe, ERASURE
        elif whatever_waits and counted.buffer_size:
            yield recipe, "scheduled"
        # Nobody waits for it: after what is new.
        if is_loose(recipe):
            yield recipe, COMPACTION
            # What came while it lasted found a run in its way.
            if again := backlog(recipe).trigger:
                yield recipe, again
