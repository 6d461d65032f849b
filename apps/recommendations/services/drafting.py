"""A list before it is known which of its films may be shown: what the arms place, or what stands in."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from apps.algorithms.strategy import Strategy
from apps.algorithms.types import Bool, History, Int64
from apps.core import telemetry
from apps.recommendations.drawing import Occasion, draw, strategy_of
from apps.recommendations.films import Film, most_popular
from apps.recommendations.placing import Folding, Placed, place
from apps.recommendations.reasons import Lead, leads_of
from apps.recommendations.services.planning import Plan
from apps.recommendations.variety import Variety, variety_of
from apps.training.registry import Engine

NOTHING_PLACED = Placed((), (), {})
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft:
    """A list before it is known which of its films may be shown.

    ``movie_ids`` are those placed by the arms, in the order of ``placed``, ``leads`` and ``stars``.
    ``popular`` are shown in their place where no model scored; ``degraded`` says why it did not.
    """

    plan: Plan
    placed: Placed = NOTHING_PLACED
    movie_ids: tuple[int, ...] = ()
    leads: tuple[Lead, ...] = ()
    stars: tuple[float, ...] | None = None
    variety: Variety | None = None
    popular: tuple[Film, ...] = ()
    degraded: str = ""

    @property
    def shown_ids(self) -> tuple[int, ...]:
        return self.movie_ids or tuple(film.movie_id for film in self.popular)

    @property
    def named_ids(self) -> set[int]:
        """The films placed, and those that their reasons may name."""
        return {*self.movie_ids, *(named for lead in self.leads for named in lead.movie_ids)}


def history_of(active: Engine, rated: Sequence[tuple[int, float]]) -> History:
    """(film id, stars), oldest first, in the engine's indices; films it does not know are left out."""
    indices = active.items.indices([movie_id for movie_id, _ in rated])
    values = np.array([stars for _, stars in rated], dtype=np.float32)
    known = indices >= 0
    return History(items=indices[known], values=values[known])


def drafts_of(plans: Sequence[Plan], *, hidden: Collection[int] = ()) -> list[Draft]:
    """One after another, each without the films of those before."""
    drafts: list[Draft] = []
    shown: set[int] = set()
    for plan in plans:
        drafts.append(draft_of(plan.without(shown), hidden))
        shown.update(drafts[-1].shown_ids)
    return drafts


def draft_of(plan: Plan, hidden: Collection[int]) -> Draft:
    if plan.engine is None:
        return _degrade(plan, "no_model")
    try:
        return scored(plan, plan.engine, hidden)
    except Exception:  # a viewer gets films whatever an arm does; counted, logged and flagged below
        logger.exception("slate_failed recipe=%s version=%s", plan.assignment.recipe, plan.engine.version)
        return _degrade(plan, "scoring_failed")


def _degrade(plan: Plan, reason: str) -> Draft:
    """Popular films in place of a list; none in place of what is like one film, which they are not."""
    request = plan.request
    telemetry.degraded_slates.labels(surface=request.surface, reason=reason).inc()
    logger.warning("slate_degraded reason=%s surface=%s", reason, request.surface)
    if request.anchor is not None:
        return Draft(plan, degraded=reason)
    films = most_popular(request.n, excluded=plan.excluded, genre=request.genre, only=request.only)
    return Draft(plan, popular=tuple(films), degraded=reason)


def scored(plan: Plan, active: Engine, hidden: Collection[int]) -> Draft:
    """Raises whatever an arm raises."""
    history = history_of(active, plan.rated)
    if plan.request.anchor is not None and len(history) == 0:
        return Draft(plan)
    blocked = _blocked(plan, active, hidden)
    occasion = Occasion(plan.context, plan.now, plan.assignment.bandit_suspended)
    folding = Folding(active, history)
    drawn = draw(_drawable(plan.strategy, folding), occasion, n=plan.request.n, seed=plan.seed)
    placed = place(folding, drawn, diversity=plan.diversity, blocked=blocked)
    items = np.array([placement.item for placement in placed.placements], dtype=np.int64)
    return Draft(
        plan,
        placed=placed,
        movie_ids=tuple(active.items.ids[items].tolist()),
        leads=tuple(leads_of(active, placed, history)),
        variety=variety_of(active, items),
        stars=tuple(active.predictor.predict(history, items).tolist()) if active.predictor else None,
    )


def _drawable(strategy: Strategy, folding: Folding) -> Strategy:
    """The strategy; the fixed one in place of a bandit of which an arm knows nothing of the viewer.

    Its slots would go to whoever knows something, by chances that nobody drew by: the log could judge no
    policy from them, and newcomers would see the few arms that ask for no history.
    """
    if strategy.policy == "bandit" and not folding.can_all_place(strategy.arms):
        return strategy_of("fixed", strategy)
    return strategy


def _blocked(plan: Plan, active: Engine, hidden: Collection[int]) -> Bool:
    """Films that must not be placed: seen, dismissed, on the page already, excluded, hidden, of other
    genres, or not of those that the list is about.
    """
    request = plan.request
    blocked = np.zeros(len(active.items), dtype=np.bool_)
    if request.genre is not None:
        column = active.genre_column(request.genre)
        blocked[:] = True
        if column is not None:
            blocked[active.genres[:, column].nonzero()[0]] = False
    if request.only is not None:
        others = np.ones(len(active.items), dtype=np.bool_)
        others[_known(active, request.only)] = False
        blocked |= others
    blocked[_known(active, [*plan.excluded, *hidden])] = True
    return blocked


def _known(active: Engine, movie_ids: Collection[int]) -> Int64:
    """The indices of those films that the model knows."""
    indices = active.items.indices(list(movie_ids))
    return indices[indices >= 0]
