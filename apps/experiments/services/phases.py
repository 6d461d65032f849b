"""Phases of an experiment, and its ledger."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.core.services import Actor
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.plans import Plan, phase_steps, planned, readable_plan
from apps.experiments.ramping import Standing, standing
from apps.experiments.running import forget_field, ledgers_of


def open_phase(experiment: Experiment) -> Phase | None:
    """The phase that serves, or would but for a pause; None before a start and after an end."""
    return Phase.objects.filter(experiment=experiment, ended_at=None).first()


def open_plans() -> list[tuple[Phase, Plan]]:
    """Of all that serves, or may serve again at once; what cannot be read serves nobody. One query."""
    rows = Phase.objects.filter(ended_at=None).select_related("experiment").order_by("experiment_id")
    return [(phase, plan) for phase in rows if (plan := readable_plan(phase)) is not None]


def last_phase(experiment: Experiment) -> Phase | None:
    return Phase.objects.filter(experiment=experiment).order_by("-number").first()


def begin_phase(
    experiment: Experiment,
    *,
    by: Actor | None,
    reason: str,
    kind: Decision.Kind = Decision.Kind.PHASE,
    keeps_split: bool = False,
) -> Phase:
    """Ends the open phase and begins the next, frozen to what the experiment says now.

    Who is in which variant stays where the variants stay as they were, and is drawn anew by a new salt where
    they do not. With ``keeps_split`` the salt stays although weights changed: of two variants one then keeps
    all its people and gets more. The ramp begins again at its first step.
    """
    before, plan, now = last_phase(experiment), planned(experiment), clock.now()
    is_same = before is not None and (keeps_split or _is_same_split(before, plan))
    Phase.objects.filter(experiment=experiment, ended_at=None).update(ended_at=now)
    phase = Phase.objects.create(
        experiment=experiment,
        number=before.number + 1 if before else 1,
        split_salt=before.split_salt if before and is_same else secrets.token_hex(8),
        plan=plan.as_json(),
        digest=plan.digest,
        reason=reason,
        begun_by=by.get_username() if by else "",
        started_at=now,
    )
    decide(experiment, phase, kind, step=0, by=by, reason=reason)
    return phase


def decide(
    experiment: Experiment, phase: Phase, kind: Decision.Kind, *, by: Actor | None, reason: str, **more: Any
) -> Decision:
    """One entry of the ledger; the step is that where the ramp stands unless it is given."""
    if "step" not in more:
        more["step"] = standing_of(phase).step
    transaction.on_commit(forget_field)
    return Decision.objects.create(
        experiment=experiment,
        phase=phase.number,
        kind=kind,
        at=clock.now(),
        by=by.get_username() if by else "",
        reason=reason,
        **more,
    )


def standing_of(phase: Phase, *, units: int | None = None) -> Standing:
    """Where the ramp of the phase stands now. One query."""
    ledger: Mapping[tuple[str, int], Any] = ledgers_of([phase.experiment_id])
    return standing(
        phase_steps(phase), ledger[phase.experiment_id, phase.number], now=clock.now(), units=units
    )


def _is_same_split(before: Phase, plan: Plan) -> bool:
    return bool(before.plan["variants"] == plan.as_json()["variants"])
