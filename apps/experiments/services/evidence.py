"""What an entry of the ledger is decided from, and making its verdict again."""

from typing import Any

from apps.core import clock
from apps.core.errors import Conflict, NotFound
from apps.experiments.figures import Figures, figures_of
from apps.experiments.judging import Verdict, judge
from apps.experiments.models import Decision, Phase
from apps.experiments.plans import Plan, plan_of, readable_plan


def judged(phase: Phase, plan: Plan) -> tuple[Figures, Verdict]:
    """What the phase has counted, and what it says. Three queries."""
    figures = figures_of(phase, plan, now=clock.now())
    return figures, judge(plan, figures)


def evidence_of(phase: Phase) -> dict[str, Any]:
    """The figures and the verdict of now, as the ledger keeps them; nothing of a plan that cannot be read."""
    plan = readable_plan(phase)
    if plan is None:
        return {}
    figures, verdict = judged(phase, plan)
    return {"figures": figures.as_json(), "verdict": verdict.as_json()}


def replay_decision(decision_id: int) -> tuple[Decision, dict[str, Any]]:
    """The decision, and the verdict made again from the figures that it keeps and the plan of its phase.

    Raises ``NotFound``, and ``Conflict`` where it keeps none.
    """
    decision = Decision.objects.filter(pk=decision_id).select_related("experiment").first()
    if decision is None:
        raise NotFound(f"There is no decision {decision_id}.")
    if not decision.figures:
        kind = decision.get_kind_display().lower()
        raise Conflict(
            f"Decision {decision_id} ({kind}) was made from no figures: there is nothing to replay."
        )
    phase = Phase.objects.get(experiment=decision.experiment_id, number=decision.phase)
    return decision, judge(plan_of(phase), Figures.from_json(decision.figures)).as_json()
