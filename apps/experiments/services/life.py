"""The life of an experiment: draft, running, paused, and completed or rolled back; all in its ledger."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.core.errors import Conflict, InvalidInput
from apps.core.services import Actor, record_audit, require_reason
from apps.experiments.models import Decision, Experiment, Layer, Phase, ServingPolicy
from apps.experiments.planning import foreseen_units
from apps.experiments.plans import planned, readable_plan
from apps.experiments.ramping import APPROVAL
from apps.experiments.services.checklist import require_checked
from apps.experiments.services.designing import lock_experiment, require_version
from apps.experiments.services.evidence import evidence_of
from apps.experiments.services.phases import begin_phase, decide, open_phase, standing_of
from apps.experiments.services.policy import change_policy, suspend_bandit

State = Experiment.State
Kind = Decision.Kind


@transaction.atomic
def start(*, key: str, by: Actor | None, reason: str = "", expected_version: int | None = None) -> Experiment:
    """From a draft to running, in effect within two seconds; its plan is frozen.

    Raises ``Conflict`` with all that the checklist refuses. What it only warns of takes a ``reason``.
    """
    experiment = lock_experiment(key)
    require_version(experiment, expected_version)
    _require_state(experiment, State.DRAFT)
    require_checked(experiment, act="start", reason=reason)
    units = foreseen_units(planned(experiment), clock.now())
    _move(experiment, State.DRAFT, to=State.RUNNING, started_at=clock.now(), planned_units=units)
    begin_phase(experiment, by=by, reason=reason, kind=Kind.START)
    _audit("start", experiment, by=by, reason=reason)
    return experiment


def pause(*, key: str, by: Actor | None, reason: str) -> Experiment:
    """Everybody gets what serves outside of it; who was in which variant is kept."""
    return _turn(key, Kind.PAUSE, State.RUNNING, State.PAUSED, by=by, reason=reason)


def resume(*, key: str, by: Actor | None, reason: str) -> Experiment:
    """Everybody is in the variant that they were in."""
    return _turn(key, Kind.RESUME, State.PAUSED, State.RUNNING, by=by, reason=reason)


@transaction.atomic
def approve(*, key: str, by: Actor, reason: str = "") -> Decision:
    """Somebody approves the step that its ramp stands at. Raises ``Conflict`` where none is waited for."""
    experiment, phase = _running(key, State.RUNNING, State.PAUSED)
    if APPROVAL not in standing_of(phase).waits_for:
        raise Conflict(f"{experiment} waits for nobody's approval.")
    _audit("approve", experiment, by=by, reason=reason)
    return decide(experiment, phase, Kind.APPROVE, by=by, reason=reason)


@transaction.atomic
def advance(*, key: str, units: int, by: Actor | None = None, reason: str = "", **found: Any) -> Decision:
    """The ramp's next step, when this one has been held for what it says; ``units`` are those counted.

    Raises ``Conflict`` saying what is waited for.
    """
    experiment, phase = _running(key, State.RUNNING)
    standing = standing_of(phase, units=units)
    if standing.is_last:
        raise Conflict(f"{experiment} covers all of its range that its ramp asks for.")
    if standing.waits_for:
        raise Conflict(f"{experiment} is held at step {standing.step + 1}: {', '.join(standing.waits_for)}.")
    _audit("advance", experiment, by=by, reason=reason)
    return decide(experiment, phase, Kind.ADVANCE, step=standing.step + 1, by=by, reason=reason, **found)


@transaction.atomic
def promote(*, key: str, variant: str, holdout: float, by: Actor | None, reason: str) -> Experiment:
    """A rollout's variant serves all who take part but a share of ``holdout``, the same people first.

    In a phase of its own: people who have had it for long are not pooled with those who get it now. Ends as
    it began, in the policy, whatever is done next: ``roll_back`` or ``ship``. Raises ``InvalidInput``, and
    ``Conflict`` for what is no rollout or is promoted.
    """
    require_reason(reason)
    experiment, _ = _running(key, State.RUNNING)
    variants = list(experiment.variants.all())
    promoted = next((one for one in variants if one.name == variant and not one.is_control), None)
    if experiment.purpose == Experiment.Purpose.COMPARE or len(variants) != 2:
        raise Conflict(f"{experiment} is no rollout: ship its winner instead.")
    if promoted is None or not 0 < holdout < 1:
        raise InvalidInput.of("/variant", f"Name the recipe's variant of {experiment}, and a part held out.")
    if promoted.weight >= 1 - holdout:
        raise Conflict(f"{experiment} is promoted already.")
    for one in variants:
        one.weight = holdout if one.is_control else 1 - holdout
        one.save(update_fields=["weight"])
    # The control's part of the split begins at 0 and shrinks, so that nobody leaves the variant.
    _move(experiment, State.RUNNING, to=State.RUNNING, ramp=[])
    begin_phase(experiment, by=by, reason=reason, kind=Kind.PROMOTE, keeps_split=True)
    _audit("promote", experiment, by=by, reason=reason)
    return experiment


@transaction.atomic
def stop(*, key: str, by: Actor | None, reason: str) -> Experiment:
    """Ends it: everybody gets what serves outside of it, and its range is free."""
    return _end(key, Kind.STOP, State.COMPLETED, by=by, reason=reason)


@transaction.atomic
def roll_back(*, key: str, by: Actor | None, reason: str, **found: Any) -> Experiment:
    """Ends it as one that did harm. ``found`` are figures and verdict of the rule that asks for it.

    Of recipes the bandit is suspended too: what it learned meanwhile of the arms is of the recipe that goes.
    """
    ended = _end(key, Kind.ROLL_BACK, State.ROLLED_BACK, by=by, reason=reason, **found)
    if ended.layer_id == Layer.Kind.RECIPE:
        suspend_bandit(reason=f"{ended} was rolled back: {reason}", by=by)
    return ended


@transaction.atomic
def ship(*, key: str, variant: str, by: Actor | None, reason: str) -> Experiment:
    """Ends it, and makes what the variant serves the policy of everybody.

    Raises ``InvalidInput`` for a variant that is none, and for what the policy cannot serve any more.
    """
    experiment, phase = _running(key, State.RUNNING, State.PAUSED)
    plan = readable_plan(phase)
    if plan is None:
        raise Conflict(f"{experiment} names an arm or a metric that is gone: stop it instead.")
    try:
        winner = plan.variant(variant)
    except KeyError:
        raise InvalidInput.of("/variant", f"{experiment} has no variant {variant!r}.") from None
    policy = _policy()
    before = {"strategy": policy.strategy, "recipe": policy.recipe, "version": policy.version}
    changed = change_policy(
        strategy=winner.strategy.to_json() if winner.strategy else policy.strategy,
        recipe=winner.recipe or policy.recipe,
        reason=reason,
        by=by,
        expected_version=policy.version,
        ending=key,
    )
    shipped = {"before": before, "version": changed.version, "variant": variant}
    return _end(key, Kind.SHIP, State.COMPLETED, by=by, reason=reason, policy=shipped)


@transaction.atomic
def undo(*, decision_id: int, by: Actor, reason: str) -> Decision:
    """Takes the last act of an experiment back: its state, step and what it serves are as before it.

    An act that was undone is as good as never done: the one before it can be undone next. Raises ``Conflict``
    where something was done since, what must hold for a start does not any more, such as that its range is
    its own, or the policy that it shipped was changed again.
    """
    require_reason(reason)
    decision = Decision.objects.filter(pk=decision_id).first()
    if decision is None or not can_be_undone(decision):
        raise Conflict("This entry of the ledger cannot be undone.")
    experiment = lock_experiment(decision.experiment_id)
    before = _state_before(decision)
    _move(experiment, _UNDOES[decision.kind], to=before, ended_at=None)
    if decision.kind in _ENDS:
        require_checked(experiment, act="run again", reason=reason)
    phase = Phase.objects.get(experiment=experiment, number=decision.phase)
    Phase.objects.filter(pk=phase.pk).update(ended_at=None)
    if decision.kind == Kind.SHIP:
        _restore_policy(decision.policy, by=by, reason=reason)
    step = decision.step - 1 if decision.kind == Kind.ADVANCE else decision.step
    _audit("undo", experiment, by=by, reason=reason)
    return decide(experiment, phase, Kind.UNDO, step=step, by=by, reason=reason, undoes=decision)


def can_be_undone(decision: Decision) -> bool:
    """Whether it is of a kind that can be; whether it is the last that stands, only ``undo`` finds out."""
    return decision.acted and decision.kind in _UNDOES


_UNDOES: Mapping[str, str] = {
    Kind.PAUSE.value: State.PAUSED,
    Kind.STOP.value: State.COMPLETED,
    Kind.SHIP.value: State.COMPLETED,
    Kind.ROLL_BACK.value: State.ROLLED_BACK,
    Kind.ADVANCE.value: State.RUNNING,
}
"""The acts that can be undone, and the state that each leaves an experiment in."""
_ENDS = (Kind.STOP, Kind.SHIP, Kind.ROLL_BACK)
_LEAVES: Mapping[str, str] = {**_UNDOES, Kind.START.value: State.RUNNING, Kind.RESUME.value: State.RUNNING}
_IN_PASSING = (Kind.APPROVE, Kind.HOLD)
"""Entries that change neither state, plan nor coverage, and so stand in the way of no undo."""


def _state_before(decision: Decision) -> str:
    """The state in which the act was done. Raises ``Conflict`` unless it is the last that stands."""
    rows = Decision.objects.filter(experiment=decision.experiment_id, acted=True).exclude(
        kind__in=_IN_PASSING
    )
    stack: list[Decision] = []
    for row in rows.order_by("id"):
        if row.kind == Kind.UNDO:
            stack.pop()
        else:
            stack.append(row)
    if decision not in stack:
        raise Conflict("This was undone already.")
    if stack[-1] != decision:
        raise Conflict(
            f"{decision.experiment} went on since ({stack[-1].get_kind_display().lower()}): undo its last act"
            " first, where that can be undone."
        )
    left = (_LEAVES[row.kind] for row in reversed(stack[:-1]) if row.kind in _LEAVES)
    return next(left)


def _running(key: str, *states: str) -> tuple[Experiment, Phase]:
    experiment = lock_experiment(key)
    _require_state(experiment, *states)
    phase = open_phase(experiment)
    if phase is None:
        raise Conflict(f"{experiment} has no open phase.")
    return experiment, phase


@transaction.atomic
def _turn(key: str, kind: Decision.Kind, was: str, to: str, *, by: Actor | None, reason: str) -> Experiment:
    """Off and on again, within one phase."""
    require_reason(reason)
    experiment, phase = _running(key, was)
    _move(experiment, was, to=to)
    decide(experiment, phase, kind, by=by, reason=reason)
    _audit(kind, experiment, by=by, reason=reason)
    return experiment


def _end(
    key: str, kind: Decision.Kind, to: str, *, by: Actor | None, reason: str, **found: Any
) -> Experiment:
    require_reason(reason)
    experiment, phase = _running(key, State.RUNNING, State.PAUSED)
    found = found if "figures" in found else found | evidence_of(phase)
    decide(experiment, phase, kind, by=by, reason=reason, **found)
    now = clock.now()
    _move(experiment, State.RUNNING, State.PAUSED, to=to, ended_at=now)
    Phase.objects.filter(pk=phase.pk).update(ended_at=now)
    _audit(kind, experiment, by=by, reason=reason)
    return experiment


def _require_state(experiment: Experiment, *states: str) -> None:
    if experiment.state not in states:
        wanted = " or ".join(State(state).label.lower() for state in states)
        raise Conflict(f"{experiment} is {experiment.get_state_display().lower()}, not {wanted}.")


def _move(experiment: Experiment, *states: str, to: str, **values: Any) -> None:
    """By a conditional UPDATE: of two who act at once one is refused. Who edits it sees that it moved."""
    rows = Experiment.objects.filter(pk=experiment.pk, state__in=states)
    if not rows.update(state=to, version=F("version") + 1, **values):
        experiment.refresh_from_db()
        _require_state(experiment, *states)
    experiment.refresh_from_db()


def _policy() -> ServingPolicy:
    policy = ServingPolicy.objects.select_for_update().filter(pk=ServingPolicy.SINGLETON).first()
    if policy is None:
        raise Conflict("There is no serving policy yet: run manage.py migrate.")
    return policy


def _restore_policy(shipped: Mapping[str, Any], *, by: Actor, reason: str) -> None:
    before = shipped["before"]
    change_policy(
        strategy=before["strategy"],
        recipe=before["recipe"],
        reason=reason,
        by=by,
        expected_version=shipped["version"],
    )


def _audit(act: str, experiment: Experiment, *, by: Actor | None, reason: str) -> None:
    record_audit(
        f"experiments.{act}", by=by, target=experiment, after={"state": experiment.state}, reason=reason
    )
