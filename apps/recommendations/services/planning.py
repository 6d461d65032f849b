"""What will serve a request: the strategy and the model that the viewer was assigned, and their wishes."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from apps.algorithms.context import Context
from apps.algorithms.reranking import tempered
from apps.algorithms.strategy import DEFAULT_ARM, Strategy
from apps.core import clock, telemetry
from apps.events.models import Surface
from apps.experiments.services import Assignment, assign
from apps.recommendations.drawing import strategy_of
from apps.recommendations.placing import FALLBACK_ARM
from apps.recommendations.recording import new_seed
from apps.recommendations.slates import SlateRequest
from apps.recommendations.viewer import ViewerState, attributes_of, context_of
from apps.training.registry import Engine, engine

MAX_STARS = 5.0
# Lists that are one arm's by definition: the site's strategy may hold arms that do not look at the
# film that likes are wanted of, at the viewer, or at what the list is about.
SURFACE_ARMS = {
    Surface.HOME_POPULAR: "popular",
    Surface.HOME_GEMS: "long_tail",
    Surface.GEMS: "long_tail",
    Surface.SURPRISE: "serendipity",
    Surface.BECAUSE: DEFAULT_ARM,
    Surface.SIMILAR: DEFAULT_ARM,
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What will serve this request, and to whom. ``unnamed`` are films that no reason names."""

    request: SlateRequest
    assignment: Assignment
    strategy: Strategy
    diversity: float
    engine: Engine | None
    rated: tuple[tuple[int, float], ...]
    excluded: frozenset[int]
    unnamed: frozenset[int]
    context: Context
    seed: int
    now: datetime

    def without(self, movie_ids: Collection[int]) -> "Plan":
        return replace(self, excluded=self.excluded.union(movie_ids)) if movie_ids else self

    def had(self, strategy: Strategy, recipe: str) -> "Plan":
        """The same, had these been assigned: by the same seed, from the same history."""
        active = engine(recipe)
        own = strategy_for(self.request, strategy, active)
        diversity = diversity_for(self.request, own, len(self.rated))
        assignment = replace(self.assignment, strategy=strategy, recipe=recipe)
        return replace(self, assignment=assignment, strategy=own, diversity=diversity, engine=active)


def plans_of(requests: Sequence[SlateRequest], state: ViewerState) -> list[Plan]:
    now = clock.now()
    first = requests[0]
    assignment = assign(first.unit_key, attributes_of(first.viewer, state, language=first.language))
    active = engine(assignment.recipe)
    context = context_of(state, active, zone=first.timezone, now=now)
    strategies = [strategy_for(request, assignment.strategy, active) for request in requests]
    rated = [_rated(request, state) for request in requests]
    return [
        Plan(
            request=request,
            assignment=assignment,
            strategy=strategy,
            diversity=diversity_for(request, strategy, len(known)),
            engine=active,
            rated=known,
            excluded=frozenset(
                {*state.preferences.excluded, *request.exclude, *request.skip, *_anchors(request)}
            ),
            unnamed=state.preferences.dismissed.difference(_anchors(request)),
            context=context,
            seed=new_seed(),
            now=now,
        )
        for request, strategy, known in zip(requests, strategies, rated, strict=True)
    ]


def _rated(request: SlateRequest, state: ViewerState) -> tuple[tuple[int, float], ...]:
    """What the arms are told: the viewer's own history, or the one film that likes are wanted of."""
    if request.anchor is not None:
        return ((request.anchor, MAX_STARS),)
    return tuple((movie_id, stars) for movie_id, stars, _ in state.preferences.rated)


def _anchors(request: SlateRequest) -> tuple[int, ...]:
    return () if request.anchor is None else (request.anchor,)


def strategy_for(request: SlateRequest, assigned: Strategy, active: Engine | None) -> Strategy:
    """The assigned strategy or one of the policy that is wished for, or the one arm of the surface or the
    request in its own order; with the diversity that is wished for.
    """
    strategy = assigned
    if request.use_bandit is not None:
        strategy = strategy_of("bandit" if request.use_bandit else "fixed", assigned)
    arm = _own_arm(request, active)
    if arm is not None:
        strategy = Strategy(policy="fixed", arms=(arm,), weights=(1.0,), diversity=0.0)
    if request.diversity is not None:
        strategy = replace(strategy, diversity=request.diversity)
    return strategy


def diversity_for(request: SlateRequest, strategy: Strategy, n_rated: int) -> float:
    """The strategy's, as far as the viewer is known; a wish is granted whole."""
    return strategy.diversity if request.diversity is not None else tempered(strategy.diversity, n_rated)


def _own_arm(request: SlateRequest, active: Engine | None) -> str | None:
    """The one arm that serves this request whatever the strategy; None where the strategy decides.

    Popular for a visitor without a unit, of whom nothing is known, where there is no film to start from
    either. A version that was fitted before there was the arm serves by the default one.
    """
    arm = SURFACE_ARMS.get(request.surface, request.algorithm)
    if arm is None and request.unit_key is None and request.anchor is None:
        return FALLBACK_ARM
    if arm is None or active is None or arm in active.arms:
        return arm
    telemetry.replaced_arms.labels(surface=request.surface, arm=arm).inc()
    _warn_replaced(arm, active.version)
    return DEFAULT_ARM


@cache
def _warn_replaced(arm: str, version: str) -> None:
    """Once in a process: every request would say it again."""
    logger.warning("arm_replaced arm=%s by=%s version=%s", arm, DEFAULT_ARM, version)
