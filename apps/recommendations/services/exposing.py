"""Who is counted in an experiment that only counts where its variants differ."""

import logging
from dataclasses import replace

from apps.experiments.services import Other
from apps.recommendations.films import available_films, hidden_ids
from apps.recommendations.recording import is_counted
from apps.recommendations.services.drafting import Draft, scored
from apps.recommendations.services.planning import Plan
from apps.training.registry import Engine

logger = logging.getLogger(__name__)


def exposed(draft: Draft) -> Draft:
    """The draft, not counted in an experiment of which every other variant gives the same list.

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
    to differ; nobody was shown it, so it is no degraded list.
    """
    theirs = draft.plan.had(other.strategy, other.recipe)
    if theirs.engine is None:
        return True
    try:
        return _gives_others(draft, theirs, theirs.engine)
    except Exception:  # it must not cost the viewer the list that did not fail
        logger.exception("other_failed experiment=%s recipe=%s", other.experiment_key, other.recipe)
        return True


def _gives_others(draft: Draft, theirs: Plan, active: Engine) -> bool:
    shown = draft.shown_ids
    found = scored(theirs, active, ()).movie_ids
    more = set(found).difference(shown)
    if len(available_films(more)) < len(more):
        # Films that were hidden since the model was fitted: they would have been left out.
        found = scored(theirs, active, hidden_ids()).movie_ids
    return found != shown
