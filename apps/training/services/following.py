"""What came of the experiment that a rollout is, and what is to be done next."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from apps.core import clock
from apps.core.errors import ApplicationError
from apps.experiments.models import Decision, Experiment, Phase
from apps.training.models import BackTest, Rollout, TrainingRun
from apps.training.services.rollouts import begin, end, finish, lock_rollouts, promote_one, under_way, waiting
from apps.training.services.runs import request_run
from apps.training.services.staging import is_through

logger = logging.getLogger(__name__)
Status, State, Kind = Rollout.Status, Experiment.State, Decision.Kind

SHORT_HOLDOUT = timedelta(days=7)
"""After which a promoted recipe makes room for a candidate that waits."""
THROUGH = "Every step was held for what it asks, and nothing was found to be worse."


def reconcile_rollouts() -> list[str]:
    """Follows what was done to experiments, and goes on with what is due; a sentence for each change.

    Safe at any time and twice. What cannot be done now, such as with a model that is damaged, is logged and
    tried again.
    """
    said = []
    for step in (_follow, _take_up):
        try:
            with transaction.atomic():
                lock_rollouts()
                said += step()
        except ApplicationError as refusal:
            logger.warning("rollout_stuck detail=%s", refusal.detail)
    for sentence in said:
        logger.info("rollout_moved what=%s", sentence)
    return said


def _follow() -> list[str]:
    rollout = under_way() or _taken_back()
    if rollout is None:
        return []
    before = rollout.status
    experiment = Experiment.objects.get(pk=rollout.experiment_id)
    if experiment.ended_at is not None:
        _ended(rollout, experiment)
    else:
        _go_on(rollout, experiment)
    return [_said(rollout)] if rollout.status != before else []


def _take_up() -> list[str]:
    """The candidate that waits, where its turn has come."""
    candidate = waiting()
    if candidate is None:
        return []
    before = candidate.waits_for
    begin(candidate)
    if candidate.status == Status.WAITING and under_way() is None:
        _ask_for_test(candidate)
    return [_said(candidate)] if candidate.waits_for != before else []


def _ask_for_test(candidate: Rollout) -> None:
    """Of a candidate that was not tested beside what serves by now: once, whatever comes of it."""
    tested = BackTest.objects.filter(recipe=candidate.recipe, against=candidate.against)
    if candidate.recipe.held_because or tested.exists():
        return
    if TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).exists():
        return
    request_run(recipe=candidate.recipe.name, trigger="rollout")


def _ended(rollout: Rollout, experiment: Experiment) -> None:
    """As its ledger says: the last end in it stands, since it has ended."""
    entry = (
        Decision.objects.filter(
            experiment=experiment, acted=True, kind__in=(Kind.ROLL_BACK, Kind.SHIP, Kind.STOP)
        )
        .order_by("-id")
        .first()
    )
    statuses = {Kind.ROLL_BACK: Status.ROLLED_BACK, Kind.SHIP: _shipped(entry, rollout)}
    kind = Kind(entry.kind) if entry else Kind.STOP
    end(rollout, statuses.get(kind, Status.WITHDRAWN), entry.reason if entry else "")


def _shipped(entry: Decision | None, rollout: Rollout) -> Rollout.Status:
    """Somebody may ship the control, which the policy names already."""
    variant = entry.policy.get("variant") if entry else None
    is_candidate = rollout.experiment is not None and (
        rollout.experiment.variants.filter(name=variant, recipe=rollout.recipe.name).exists()
    )
    return Status.FINISHED if is_candidate else Status.WITHDRAWN


def _go_on(rollout: Rollout, experiment: Experiment) -> None:
    phase = Phase.objects.get(experiment=experiment, ended_at=None)
    promoted = Decision.objects.filter(experiment=experiment, phase=phase.number, kind=Kind.PROMOTE)
    is_promoted = promoted.exists()
    _mark(rollout, Status.PROMOTED if is_promoted else Status.RUNNING)
    if experiment.state != State.RUNNING:
        return
    if not is_promoted and is_through(phase):
        promote_one(rollout, by=None, reason=THROUGH)
    held = clock.now() - phase.started_at
    if is_promoted and held >= _holdout():
        days = held / timedelta(days=1)
        finish(rollout, by=None, reason=f"Promoted {days:.0f} days ago, and nothing was found to be worse.")


def _mark(rollout: Rollout, status: Rollout.Status) -> None:
    """Also where an end of it was taken back."""
    if rollout.status != status:
        rollout.status, rollout.ended_at, rollout.ended_because = status, None, ""
        rollout.save(update_fields=["status", "ended_at", "ended_because"])


def _holdout() -> timedelta:
    return SHORT_HOLDOUT if waiting() else timedelta(days=settings.ROLLOUT_HOLDOUT_DAYS)


def _taken_back() -> Rollout | None:
    """One that had ended, and whose experiment serves again."""
    rows = Rollout.objects.select_related("recipe", "experiment").filter(ended_at__isnull=False)
    return rows.filter(experiment__state__in=(State.RUNNING, State.PAUSED)).order_by("-id").first()


def _said(rollout: Rollout) -> str:
    waits = f" for this: {rollout.waits_for}" if rollout.waits_for else ""
    return f"{rollout}: {rollout.get_status_display().lower()}{waits}"
