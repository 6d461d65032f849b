"""Who is counted in an experiment that only counts where its variants differ."""

from dataclasses import replace

from apps.experiments.services import Other
from apps.recommendations.recording import is_counted
from apps.recommendations.services.drafting import Draft, draft_of
from apps.recommendations.services.planning import diversity_for, strategy_for
from apps.training.registry import engine


def exposed(draft: Draft) -> Draft:
    """The draft, counted in those experiments alone of which no other variant gives the same list.

    Only of experiments that ask for it: each other variant costs as much as the list itself.
    """
    plan = draft.plan
    if not plan.assignment.others or not is_counted(plan.request) or draft.degraded:
        return draft
    differing = {other.experiment_key for other in plan.assignment.others if _differs(draft, other)}
    alike = {other.experiment_key for other in plan.assignment.others} - differing
    served = tuple(
        replace(one, counted=one.counted and one.experiment_key not in alike)
        for one in plan.assignment.served
    )
    return replace(draft, plan=replace(plan, assignment=replace(plan.assignment, served=served)))


def _differs(draft: Draft, other: Other) -> bool:
    """Whether the other variant's list has other films, or the same in another order.

    Its slots are drawn by the same seed, so a fixed strategy differs from itself nowhere. What fails is taken
    to differ.
    """
    plan = draft.plan
    active = engine(other.recipe)
    strategy = strategy_for(plan.request, other.strategy, active)
    diversity = diversity_for(plan.request, strategy, len(plan.rated))
    theirs = draft_of(replace(plan, strategy=strategy, diversity=diversity, engine=active), hidden=())
    return bool(theirs.degraded) or theirs.shown_ids != draft.shown_ids
