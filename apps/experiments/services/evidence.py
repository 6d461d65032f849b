"""What an entry of the ledger is decided from, and making its verdict again."""

import logging
from dataclasses import dataclass
from typing import Any

from apps.core import clock
from apps.core.errors import Conflict, NotFound
from apps.experiments.figures import Figures, figures_of
from apps.experiments.judging import Verdict, judge
from apps.experiments.models import Decision, Phase
from apps.experiments.plans import Plan, readable_plan

logger = logging.getLogger(__name__)
UNJUDGEABLE = (ArithmeticError, KeyError, ValueError)
"""What a plan whose metric is gone raises, and figures that cannot be."""


@dataclass(frozen=True)
class Replay:
    """A decision, and the verdict made again from what it was decided from."""

    decision: Decision
    verdict: dict[str, Any]

    @property
    def differing(self) -> list[str]:
        """What of the verdict comes out otherwise; empty where all is the same to the last digit."""
        kept = self.decision.verdict
        return [name for name in self.verdict if self.verdict[name] != kept.get(name)]


def judged(phase: Phase, plan: Plan) -> tuple[Figures, Verdict]:
    """What the phase has counted, and what it says. Three queries."""
    figures = figures_of(phase, plan, now=clock.now())
    return figures, judge(plan, figures)


def evidence_of(phase: Phase) -> dict[str, Any]:
    """The figures and the verdict of now, as the ledger keeps them.

    Nothing of a plan that this program cannot read or judge any more: whoever wants to end it still can.
    """
    plan = readable_plan(phase)
    if plan is None:
        return {}
    try:
        figures, verdict = judged(phase, plan)
    except UNJUDGEABLE:
        logger.exception("phase_unjudgeable phase=%s", phase)
        return {}
    return {"figures": figures.as_json(), "verdict": verdict.as_json()}


def replay_decision(decision_id: int) -> Replay:
    """From the figures that the decision keeps and the plan of its phase.

    Raises ``NotFound``, and ``Conflict`` where it keeps none or its plan cannot be read any more.
    """
    decision = Decision.objects.filter(pk=decision_id).select_related("experiment").first()
    if decision is None:
        raise NotFound(f"There is no decision {decision_id}.")
    kind = decision.get_kind_display().lower()
    if not decision.figures:
        raise Conflict(
            f"Decision {decision_id} ({kind}) was made from no figures: there is nothing to replay."
        )
    plan = readable_plan(Phase.objects.get(experiment=decision.experiment_id, number=decision.phase))
    if plan is None:
        raise Conflict(
            f"The plan of decision {decision_id} ({kind}) names an arm or a metric that is gone: replay it"
            " with the program that made it."
        )
    return Replay(decision, judge(plan, Figures.from_json(decision.figures)).as_json())
