"""What came of the experiment that a rollout is, and what is to be done next."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from apps.core.errors import ApplicationError
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.policy import read_policy, recipes_in_use
from apps.experiments.requirements import require_servable
from apps.experiments.services.phases import standing_of
from apps.training.models import Rollout, TrainingRun
from apps.training.services.backtesting import find_leave, was_tested
from apps.training.services.recipes import find_recipe
from apps.training.services.rollouts import begin, end, finish, lock_rollouts, promote_one, under_way, waiting
from apps.training.services.runs import request_run
from apps.training.services.staging import HOLDOUT, is_through

logger = logging.getLogger(__name__)
Status, State, Kind = Rollout.Status, Experiment.State, Decision.Kind

SHORT_HOLDOUT = timedelta(days=7)
"""After which a promoted recipe makes room for a candidate that waits."""
HELD = "Its holdout was held for its time, and nothing was found to be worse."
TRIGGER = "rollout"
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
        except Exception:
            # Whatever it is, what else is swept must not wait for it.
            logger.exception("rollout_failed step=%s", step.__name__)
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
        _see_to_its_test(candidate)
    return [_said(candidate)] if candidate.waits_for != before else []


def _see_to_its_test(candidate: Rollout) -> None:
    """Of a candidate that has to be tested beside what serves by now: asked for once, whatever comes of it,
    and with a verdict against it nothing is left to wait for.
    """
    recipe, serving = candidate.recipe, find_recipe(candidate.against)
    if find_leave(recipe, serving) is not None:
        return
    if was_tested(recipe, serving):
        end(candidate, Status.WITHDRAWN, candidate.waits_for)
        return
    asked = TrainingRun.objects.filter(recipe=recipe, trigger=TRIGGER, started_at__gte=candidate.asked_at)
    is_alive = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).exists()
    # Of a recipe that serves somebody a fit would make no test.
    is_idle = recipe.name not in recipes_in_use() and not recipe.held_because
    if is_idle and settings.AUTO_UPDATE and not is_alive and not asked.exists():
        request_run(recipe=recipe.name, trigger=TRIGGER)


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
    is_promoted = _is_promoted(phase)
    _mark(rollout, Status.PROMOTED if is_promoted else Status.RUNNING)
    if experiment.state != State.RUNNING:
        return
    waits = ""
    if is_promoted and standing_of(phase).held >= _holdout():
        waits = _doubt(phase)
        if not waits:
            finish(rollout, by=None, reason=HELD)
    elif not is_promoted and is_through(phase):
        waits = _cannot_serve(rollout)
        if not waits:
            promote_one(rollout, by=None, reason=THROUGH)
    if rollout.waits_for != waits:
        rollout.waits_for = waits
        rollout.save(update_fields=["waits_for"])


def _is_promoted(phase: Phase) -> bool:
    """By what it serves, whatever began it: somebody may have changed what is watched since."""
    candidates = [one for one in phase.plan["variants"] if not one["is_control"]]
    return any(one["weight"] >= 1 - HOLDOUT for one in candidates)


def _doubt(phase: Phase) -> str:
    """What the last look at its figures says against serving everybody; empty where nothing does."""
    outcome = phase.verdict.get("outcome")
    said: str = phase.verdict.get("sentence", "")
    return said if outcome in ("keep_control", "unhealthy", "roll_back") else ""


def _cannot_serve(rollout: Rollout) -> str:
    """Why it is not promoted: on a small site nobody may have been served by it yet."""
    try:
        require_servable(read_policy().strategy, rollout.recipe.name)
    except ApplicationError as refusal:
        return refusal.detail
    return ""


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
