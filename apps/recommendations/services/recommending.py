"""``recommend()``: from a request to a logged list of films."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.utils import timezone

from apps.algorithms.context import Context
from apps.algorithms.strategy import Strategy
from apps.algorithms.types import Bool, History
from apps.core import telemetry
from apps.events.models import Surface
from apps.experiments.services import Assignment, assign
from apps.recommendations.films import available_films, hidden_ids, most_popular
from apps.recommendations.placing import FALLBACK_ARM, Placed, place
from apps.recommendations.reasons import POPULAR, leads_of, reason_of
from apps.recommendations.recording import Chosen, Decision, new_seed, serve
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import ViewerState, context_of, read_viewer
from apps.training.registry import Engine, engine

MAX_STARS = 5.0
# Rows of a page that are one arm's by definition: the site's strategy may hold arms that do not look
# at the film that likes are wanted of.
SURFACE_ARMS = {Surface.HOME_POPULAR: "popular", Surface.SIMILAR: "hybrid"}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plan:
    """What will serve this request, and to whom."""

    request: SlateRequest
    assignment: Assignment
    strategy: Strategy
    engine: Engine | None
    rated: tuple[tuple[int, float], ...]
    excluded: frozenset[int]
    context: Context
    seed: int
    now: datetime


def recommend(request: SlateRequest) -> ServedSlate:
    """A list of films for a viewer, logged film by film before it is shown.

    Films are unique, unseen, not dismissed and available; fewer than ``request.n`` only when the
    catalogue has no more. Whatever fails while films are scored, popular ones are served instead and
    the slate says so. Queries with caches warm: history, films, slate, impressions.
    """
    started = time.perf_counter()
    decision = decide(request)
    slate = serve(request, decision)
    telemetry.slates.labels(surface=request.surface, policy=decision.strategy.policy).inc()
    telemetry.slate_seconds.observe(time.perf_counter() - started)
    return slate


def decide(request: SlateRequest) -> Decision:
    """The slate that ``recommend`` would log and show, not logged."""
    started = time.perf_counter()
    plan = _plan(request)
    chosen, owners, degraded = _choose(plan)
    return Decision(
        assignment=plan.assignment,
        strategy=plan.strategy,
        label=_label(plan.strategy),
        model_version=plan.engine.version if plan.engine and not degraded else "",
        context=plan.context,
        history=plan.rated,
        excluded=plan.excluded,
        chosen=chosen,
        owners=owners,
        seed=plan.seed,
        degraded=degraded,
        now=plan.now,
        latency_ms=(time.perf_counter() - started) * 1000,
    )


def history_of(active: Engine, rated: Sequence[tuple[int, float]]) -> History:
    """(film id, stars), oldest first, in the engine's indices; films it does not know are left out."""
    indices = active.items.indices([movie_id for movie_id, _ in rated])
    values = np.array([stars for _, stars in rated], dtype=np.float32)
    known = indices >= 0
    return History(items=indices[known], values=values[known])


def _plan(request: SlateRequest) -> _Plan:
    now = timezone.now()
    state = read_viewer(request.viewer, request.unit_key)
    assignment = assign(request.unit_key, {})
    active = engine(assignment.recipe)
    return _Plan(
        request=request,
        assignment=assignment,
        strategy=_strategy(request, assignment.strategy),
        engine=active,
        rated=_rated(request, state),
        excluded=frozenset(
            {*state.preferences.excluded, *request.exclude, *request.skip, *_anchors(request)}
        ),
        context=context_of(state, active, zone=request.timezone, now=now),
        seed=new_seed(),
        now=now,
    )


def _rated(request: SlateRequest, state: ViewerState) -> tuple[tuple[int, float], ...]:
    """What the arms are told: the viewer's own history, or the one film that likes are wanted of."""
    if request.anchor is not None:
        return ((request.anchor, MAX_STARS),)
    return tuple((movie_id, stars) for movie_id, stars, _ in state.preferences.rated)


def _anchors(request: SlateRequest) -> tuple[int, ...]:
    return () if request.anchor is None else (request.anchor,)


def _strategy(request: SlateRequest, assigned: Strategy) -> Strategy:
    """The assigned strategy with the surface's arm or the request's wishes; popular for a visitor of
    whom nothing is known: without a unit and without a film to start from.
    """
    strategy = assigned
    arm = SURFACE_ARMS.get(request.surface, request.algorithm)
    if request.unit_key is None and request.anchor is None:
        arm = FALLBACK_ARM
    if arm is not None:
        strategy = replace(strategy, policy="fixed", arms=(arm,), weights=(1.0,), slots=None)
    if request.diversity is not None:
        strategy = replace(strategy, diversity=request.diversity)
    return strategy


def _label(strategy: Strategy) -> str:
    return strategy.arms[0] if strategy.policy == "fixed" and len(strategy.arms) == 1 else strategy.policy


def _choose(plan: _Plan) -> tuple[list[Chosen], tuple[str, ...], str]:
    """The films, the owners drawn, and why popular was served instead (empty when it was not)."""
    if plan.engine is None:
        return _popular(plan), (), _degrade(plan, "no_model")
    try:
        chosen, owners = _score(plan, plan.engine)
    except Exception:  # a viewer gets films whatever an arm does; counted, logged and flagged below
        logger.exception("slate_failed recipe=%s version=%s", plan.assignment.recipe, plan.engine.version)
        return _popular(plan), (), _degrade(plan, "scoring_failed")
    return chosen, owners, ""


def _degrade(plan: _Plan, reason: str) -> str:
    telemetry.degraded_slates.labels(surface=plan.request.surface, reason=reason).inc()
    logger.warning("slate_degraded reason=%s surface=%s", reason, plan.request.surface)
    return reason


def _score(plan: _Plan, active: Engine) -> tuple[list[Chosen], tuple[str, ...]]:
    history = history_of(active, plan.rated)
    blocked = _blocked(plan, active)
    chosen, owners = _attempt(plan, active, history, blocked)
    if chosen is None:
        # A film was hidden since the model was fitted. Block all hidden ones and draft again.
        gone = active.items.indices(hidden_ids())
        blocked[gone[gone >= 0]] = True
        chosen, owners = _attempt(plan, active, history, blocked, drop_hidden=True)
    return chosen or [], owners


def _attempt(
    plan: _Plan, active: Engine, history: History, blocked: Bool, *, drop_hidden: bool = False
) -> tuple[list[Chosen] | None, tuple[str, ...]]:
    """One draft; no list at all when it holds a film that may not be shown."""
    placed = place(active, plan.strategy, history=history, blocked=blocked, n=plan.request.n, seed=plan.seed)
    chosen = _described(plan, active, placed, history)
    if len(chosen) < len(placed.placements) and not drop_hidden:
        return None, placed.owners
    return chosen, placed.owners


def _described(plan: _Plan, active: Engine, placed: Placed, history: History) -> list[Chosen]:
    """The placements with film, reason and predicted stars; those that may not be shown are left out."""
    items = np.array([placement.item for placement in placed.placements], dtype=np.int64)
    movie_ids = active.items.ids[items].tolist()
    leads = leads_of(active, placed, history)
    films = available_films([*movie_ids, *(named for lead in leads for named in lead.movie_ids)])
    titles = {movie_id: film.title for movie_id, film in films.items()}
    stars = active.predictor.predict(history, items) if active.predictor else None
    return [
        Chosen(
            film=films[movie_id],
            algorithm=placement.algorithm,
            score=placement.score,
            propensity=placement.propensity,
            predicted_rating=None if stars is None else round(float(stars[spot]), 2),
            reason=reason_of(leads[spot], titles, similar=plan.request.anchor is not None),
        )
        for spot, (movie_id, placement) in enumerate(zip(movie_ids, placed.placements, strict=True))
        if movie_id in films
    ]


def _blocked(plan: _Plan, active: Engine) -> Bool:
    """Films that must not be placed: seen, dismissed, on the page already, excluded, of other genres."""
    request = plan.request
    indices = active.items.indices(list(plan.excluded))
    blocked = np.zeros(len(active.items), dtype=np.bool_)
    if request.genre is not None:
        column = active.genre_column(request.genre)
        blocked[:] = True
        if column is not None:
            blocked[active.genres[:, column].nonzero()[0]] = False
    blocked[indices[indices >= 0]] = True
    return blocked


def _popular(plan: _Plan) -> list[Chosen]:
    request = plan.request
    films = most_popular(request.n, excluded=plan.excluded, genre=request.genre)
    return [
        Chosen(
            film=film,
            algorithm=FALLBACK_ARM,
            score=float(film.rating_count),
            propensity=None,
            predicted_rating=None,
            reason=POPULAR,
        )
        for film in films
    ]
