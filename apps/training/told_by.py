"""Whose act a change of what serves was: a person's, a command's, or nobody's."""

from collections.abc import Mapping, Sequence

from apps.core.models import AuditEntry
from apps.experiments.models import Decision
from apps.training.models import Activation, Rollout, TrainingRun
from apps.training.privacy import ERASED
from apps.training.services.following import HELD, THROUGH
from apps.training.services.holding import BY_HAND

ITSELF, COMMAND, SOMEBODY, UNKNOWN = "by itself", "a command", "somebody", "–"
SYSTEM = "system"
"""In the audit: a rule or a command."""
Kind = Decision.Kind


def told_by_policy(change: AuditEntry) -> str:
    """Of the changes of a policy that nobody is named for one alone comes by itself: the end of a holdout."""
    if change.actor_name != SYSTEM:
        return change.actor_name or ERASED
    return ITSELF if change.reason == HELD else COMMAND


def told_by_decision(decision: Decision, rollout: Rollout | None) -> str:
    """``rollout`` is the one that the experiment is; None for another experiment."""
    if decision.by:
        return decision.by
    # Who asked by name begins it by name, unless it had to wait for its turn.
    took_its_turn = decision.kind == Kind.START and rollout is not None and bool(rollout.asked_by)
    is_harm = decision.kind == Kind.ROLL_BACK and decision.reason.startswith("Roll ")
    is_rule = decision.kind in (Kind.ADVANCE, Kind.HOLD) or decision.reason in (HELD, THROUGH)
    return ITSELF if took_its_turn or is_harm or is_rule else COMMAND


def told_by_activations(activations: Sequence[Activation]) -> Mapping[int, str]:
    """By their keys; ``version__run`` is read. One query, for fits that somebody asked for."""
    runs = {one.pk: one.version.run for one in activations if not one.by and not one.reason}
    asked = [str(run.pk) for run in runs.values() if run is not None and run.trigger in BY_HAND]
    named = AuditEntry.objects.filter(
        action="training.start", target_type=TrainingRun._meta.label_lower, target_id__in=asked
    )
    names = dict(named.values_list("target_id", "actor_name"))
    return {
        one.pk: one.by or (_told_by_run(runs[one.pk], names) if one.pk in runs else COMMAND)
        for one in activations
    }


def _told_by_run(run: TrainingRun | None, names: Mapping[str, str]) -> str:
    if run is None:
        return UNKNOWN
    if run.trigger not in BY_HAND:
        return ITSELF
    if run.trigger == "command":
        return COMMAND
    return names.get(str(run.pk), SOMEBODY) or ERASED
