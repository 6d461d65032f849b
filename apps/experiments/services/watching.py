"""The rule that watches what runs: rolls back what does harm, holds what cannot be trusted, goes on else."""

import logging
from typing import Any

from django.db import transaction

from apps.core import clock
from apps.core.errors import Conflict
from apps.experiments.figures import Figures, lists_in
from apps.experiments.judging import Verdict, effect_text
from apps.experiments.metrics import Metric
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.plans import Plan, readable_plan
from apps.experiments.ramping import Standing
from apps.experiments.reading import GuardrailReading
from apps.experiments.services.designing import lock_experiment
from apps.experiments.services.evidence import UNJUDGEABLE, judged
from apps.experiments.services.life import advance, roll_back
from apps.experiments.services.phases import decide, open_phase, standing_of

logger = logging.getLogger(__name__)
_NOBODY_HAD_IT = (
    "nobody has had its recipe in this step. See whether an experiment that pins a recipe takes all who come,"
    " or promote it now."
)
Spot = tuple[str, str]
"""A variant, and a guardrail's metric."""


def watch() -> int:
    """Looks at each experiment that runs; how many entries that made in their ledgers.

    Safe at any time: a step is held for its time whenever it is looked at, and what was said once is not said
    again. What somebody did in the meantime comes first. One that cannot be judged keeps none of the others
    from being watched.
    """
    made = 0
    for key in Experiment.objects.filter(state=Experiment.State.RUNNING).order_by("key").values_list("key"):
        try:
            made += _watch(*key)
        except Conflict as refusal:
            logger.info("watch_overtaken experiment=%s detail=%s", *key, refusal.detail)
        except UNJUDGEABLE:
            logger.exception("watch_failed experiment=%s", *key)
    return made


def holds_of(plan: Plan, figures: Figures, verdict: Verdict) -> list[str]:
    """Why the ramp may not go on, whatever its steps ask for."""
    if verdict.outcome == "unhealthy":
        return list(verdict.why_not)
    if verdict.outcome == "keep_control" or (verdict.outcome == "no_difference" and not plan.is_rollout):
        return [f"{verdict.sentence}. Nothing is left to find by covering more: end it."]
    if plan.is_timed:
        return []
    units = figures.units(plan)
    unseen = [name for name, weight in plan.weights.items() if weight > 0 and not units[name]]
    if unseen:
        return [f"No unit of {' and '.join(unseen)} was counted yet: see whether its lists are served."]
    unknown = [one.comparison for one in verdict.guardrails if one.harm is None]
    unsure = [one.comparison for one in verdict.guardrails if _is_unsure(one)]
    return [
        *(_unknown(one.metric, one.variant, plan.control.name) for one in unknown),
        *(f"{effect_text(one)} in {one.variant}: too little was counted to say how sure." for one in unsure),
    ]


def _is_unsure(guardrail: GuardrailReading) -> bool:
    """Whether it looks worse than it may, and nobody can say yet how sure that is."""
    harm = guardrail.harm
    return harm is not None and harm > guardrail.margin and guardrail.comparison.interval is None


def _unknown(metric: Metric, variant: str, control: str) -> str:
    return (
        f"{metric.title} of {variant} cannot be compared, as too little was counted in it or in {control}:"
        " wait for more, or take this guardrail away, which begins a new phase."
    )


@transaction.atomic
def _watch(key: str) -> int:
    """Under the lock of whoever changes it: what is decided is of the phase that the figures are of."""
    experiment = lock_experiment(key)
    phase = open_phase(experiment)
    plan = None if phase is None else readable_plan(phase)
    if experiment.state != Experiment.State.RUNNING or phase is None or plan is None:
        return 0
    figures, verdict = judged(phase, plan)
    Phase.objects.filter(pk=phase.pk).update(verdict=verdict.as_json(), judged_at=clock.now())
    found: dict[str, Any] = {"figures": figures.as_json(), "verdict": verdict.as_json()}
    if verdict.outcome == "roll_back":
        return _harmful(experiment, phase, plan, verdict, found)
    if verdict.outcome == "unhealthy":
        return _say(experiment, phase, Decision.Kind.HOLD, " ".join(verdict.why_not), found)
    units = int(sum(figures.units(plan).values()))
    standing = standing_of(phase, units=units)
    if not standing.may_advance:
        return 0
    holds = holds_of(plan, figures, verdict) or _unseen_since(experiment, phase, plan, figures, standing)
    if holds:
        return _say(experiment, phase, Decision.Kind.HOLD, " ".join(holds), found)
    advance(key=key, units=units, reason=_went_on(plan, standing.step), **found)
    return 1


def _unseen_since(
    experiment: Experiment, phase: Phase, plan: Plan, figures: Figures, standing: Standing
) -> list[str]:
    """Of a step that was gone on to, the variants of which no list was counted since; of a timed rollout in
    its first step too, and of the candidate alone.
    """
    names = [name for name, weight in plan.weights.items() if weight > 0]
    if plan.is_timed:
        names = [name for name in names if name != plan.control.name]
    advanced = Decision.objects.filter(
        experiment=experiment, phase=phase.number, kind=Decision.Kind.ADVANCE, step=standing.step
    )
    last = advanced.order_by("-id").first()
    before = dict.fromkeys(names, 0.0)
    if last is not None and last.figures:
        before = lists_in(Figures.from_json(last.figures).metrics, plan)
    elif not plan.is_timed:
        return []
    now = lists_in(figures.metrics, plan)
    unseen = [name for name in names if now[name] <= before[name]]
    if not unseen:
        return []
    said = f"No list of {' and '.join(unseen)} was counted since step {standing.step + 1} began"
    return [f"{said}: {_NOBODY_HAD_IT}" if plan.is_timed else f"{said}."]


def _harmful(
    experiment: Experiment, phase: Phase, plan: Plan, verdict: Verdict, found: dict[str, Any]
) -> int:
    overruled = overruled_of(phase)
    found_anew = [one for one in verdict.guardrails if one.is_broken and _spot(one) not in overruled]
    if plan.dry_run or not found_anew:
        return _say(experiment, phase, Decision.Kind.ROLL_BACK, verdict.sentence, found, acted=False)
    # The verdict names the first that is broken, which may be one that somebody took back.
    told = found_anew[0].comparison
    is_first = _spot(found_anew[0]) == _spot(next(one for one in verdict.guardrails if one.is_broken))
    reason = verdict.sentence if is_first else f"Roll {told.variant} back: {effect_text(told)}"
    roll_back(key=experiment.key, by=None, reason=reason, **found)
    logger.warning("experiment_rolled_back experiment=%s variant=%s", experiment.key, verdict.variant)
    return 1


def overruled_of(phase: Phase) -> set[Spot]:
    """Variants and metrics for which the rule rolled back and somebody took that back: that it would do so
    again is only said.
    """
    undone = Decision.objects.filter(
        experiment=phase.experiment_id, phase=phase.number, kind=Decision.Kind.UNDO
    )
    verdicts = undone.filter(undoes__kind=Decision.Kind.ROLL_BACK, undoes__by="")
    return {
        (one["comparison"]["variant"], one["comparison"]["metric"])
        for verdict in verdicts.values_list("undoes__verdict", flat=True)
        for one in verdict.get("guardrails", ())
        if one["is_broken"]
    }


def _spot(guardrail: GuardrailReading) -> Spot:
    return guardrail.comparison.variant, guardrail.comparison.metric.name


def _say(
    experiment: Experiment,
    phase: Phase,
    kind: Decision.Kind,
    reason: str,
    found: dict[str, Any],
    *,
    acted: bool = True,
) -> int:
    """An entry, unless the last one of the phase said the same; numbers in it may have moved since."""
    last = Decision.objects.filter(experiment=experiment, phase=phase.number).order_by("-id").first()
    if last is not None and (last.kind, last.acted) == (kind, acted):
        said, now = last.verdict, found["verdict"]
        is_same = (said.get("outcome"), said.get("variant")) == (now["outcome"], now["variant"])
        if is_same and (now["outcome"] in ("unhealthy", "roll_back") or last.reason == reason):
            return 0
    decide(experiment, phase, kind, by=None, reason=reason, acted=acted, **found)
    return 1


def _went_on(plan: Plan, step: int) -> str:
    covered = plan.steps[step + 1].coverage
    return f"Step {step + 1} was held for what it asks, and no guardrail is broken: covers {covered:.0%} now."
