"""``recommend()``: from a request to a logged list of films; and the lists of a page, together."""

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import numpy as np

from apps.algorithms.context import Context
from apps.algorithms.reranking import tempered
from apps.algorithms.strategy import DEFAULT_ARM, Strategy
from apps.algorithms.types import Bool, History, Int64
from apps.core import clock, telemetry
from apps.events.models import Surface
from apps.experiments.services import Assignment, assign
from apps.recommendations.drawing import Occasion, draw, strategy_of
from apps.recommendations.films import Film, available_films, hidden_ids, most_popular
from apps.recommendations.placing import FALLBACK_ARM, Folding, Placed, place
from apps.recommendations.reasons import POPULAR, Lead, leads_of, reason_of
from apps.recommendations.recording import Chosen, Decision, new_seed, serve
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import ViewerState, context_of, read_viewer
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
NOTHING_PLACED = Placed((), (), {})
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plan:
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

    def without(self, movie_ids: Collection[int]) -> "_Plan":
        return replace(self, excluded=self.excluded.union(movie_ids)) if movie_ids else self


@dataclass(frozen=True)
class _Draft:
    """A list before it is known which of its films may be shown.

    ``movie_ids`` are those placed by the arms, in the order of ``placed``, ``leads`` and ``stars``.
    ``popular`` are shown in their place where no model scored; ``degraded`` says why it did not.
    """

    plan: _Plan
    placed: Placed = NOTHING_PLACED
    movie_ids: tuple[int, ...] = ()
    leads: tuple[Lead, ...] = ()
    stars: tuple[float, ...] | None = None
    popular: tuple[Film, ...] = ()
    degraded: str = ""

    @property
    def shown_ids(self) -> tuple[int, ...]:
        return self.movie_ids or tuple(film.movie_id for film in self.popular)

    @property
    def named_ids(self) -> set[int]:
        """The films placed, and those that their reasons may name."""
        return {*self.movie_ids, *(named for lead in self.leads for named in lead.movie_ids)}


def recommend(request: SlateRequest) -> ServedSlate:
    """A list of films for a viewer, logged film by film before it is shown.

    Films are unique, unseen, not dismissed and available; fewer than ``request.n`` only when the
    catalogue has no more. Whatever fails while films are scored, popular ones are served instead and
    the slate says so. Queries with caches warm: history, films, slate with impressions.
    """
    (slate,) = recommend_page([request], read_viewer(request.viewer, request.unit_key))
    return slate


def recommend_page(requests: Sequence[SlateRequest], state: ViewerState) -> list[ServedSlate]:
    """The lists of one page, for one viewer whose ``state`` was read for it; no film is in two of them.

    An earlier list has the first choice. Queries are those of one list, the history left out.
    """
    started = time.perf_counter()
    slates = serve(list(zip(requests, _decide(requests, state), strict=True)))
    for slate in slates:
        telemetry.slates.labels(surface=slate.surface, policy=slate.policy).inc()
        telemetry.slate_seconds.observe((time.perf_counter() - started) / len(slates))
    return slates


def decide(request: SlateRequest) -> Decision:
    """The slate that ``recommend`` would log and show, not logged."""
    (decision,) = _decide([request], read_viewer(request.viewer, request.unit_key))
    return decision


def _decide(requests: Sequence[SlateRequest], state: ViewerState) -> list[Decision]:
    started = time.perf_counter()
    drafts, films = _shown_drafts(_plans(requests, state))
    chosen = [_chosen(draft, films) for draft in drafts]
    # Of a page each list has its share.
    latency_ms = (time.perf_counter() - started) * 1000 / len(drafts)
    return [
        Decision(
            assignment=draft.plan.assignment,
            strategy=draft.plan.strategy,
            diversity=draft.plan.diversity,
            label=_label(draft.plan.strategy),
            model_version=draft.plan.engine.version if draft.plan.engine and not draft.degraded else "",
            context=draft.plan.context,
            history=draft.plan.rated,
            excluded=draft.plan.excluded,
            chosen=films_of_draft,
            is_personal=draft.placed.is_personal,
            owners=draft.placed.owners,
            bandit=draft.placed.bandit,
            seed=draft.plan.seed,
            degraded=draft.degraded,
            now=draft.plan.now,
            latency_ms=latency_ms,
        )
        for draft, films_of_draft in zip(drafts, chosen, strict=True)
    ]


def history_of(active: Engine, rated: Sequence[tuple[int, float]]) -> History:
    """(film id, stars), oldest first, in the engine's indices; films it does not know are left out."""
    indices = active.items.indices([movie_id for movie_id, _ in rated])
    values = np.array([stars for _, stars in rated], dtype=np.float32)
    known = indices >= 0
    return History(items=indices[known], values=values[known])


def _plans(requests: Sequence[SlateRequest], state: ViewerState) -> list[_Plan]:
    now = clock.now()
    first = requests[0]
    assignment = assign(first.unit_key, {})
    active = engine(assignment.recipe)
    context = context_of(state, active, zone=first.timezone, now=now)
    strategies = [_strategy(request, assignment.strategy, active) for request in requests]
    rated = [_rated(request, state) for request in requests]
    return [
        _Plan(
            request=request,
            assignment=assignment,
            strategy=strategy,
            diversity=_diversity(request, strategy, len(known)),
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


def _strategy(request: SlateRequest, assigned: Strategy, active: Engine | None) -> Strategy:
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


def _diversity(request: SlateRequest, strategy: Strategy, n_rated: int) -> float:
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


def _label(strategy: Strategy) -> str:
    return strategy.arms[0] if strategy.policy == "fixed" and len(strategy.arms) == 1 else strategy.policy


def _shown_drafts(plans: Sequence[_Plan]) -> tuple[list[_Draft], dict[int, Film]]:
    """The drafts, and every film that they show or name."""
    drafts = _drafts(plans)
    films = _films_of(drafts)
    if any(movie_id not in films for draft in drafts for movie_id in draft.movie_ids):
        # A film was hidden since the model was fitted. Keep all hidden ones out and draft again.
        drafts = _drafts(plans, hidden=hidden_ids())
        films = _films_of(drafts)
    return drafts, films


def _films_of(drafts: Sequence[_Draft]) -> dict[int, Film]:
    return available_films({named for draft in drafts for named in draft.named_ids})


def _drafts(plans: Sequence[_Plan], *, hidden: Collection[int] = ()) -> list[_Draft]:
    """One after another, each without the films of those before."""
    drafts: list[_Draft] = []
    shown: set[int] = set()
    for plan in plans:
        drafts.append(_draft(plan.without(shown), hidden))
        shown.update(drafts[-1].shown_ids)
    return drafts


def _draft(plan: _Plan, hidden: Collection[int]) -> _Draft:
    if plan.engine is None:
        return _degrade(plan, "no_model")
    try:
        return _score(plan, plan.engine, hidden)
    except Exception:  # a viewer gets films whatever an arm does; counted, logged and flagged below
        logger.exception("slate_failed recipe=%s version=%s", plan.assignment.recipe, plan.engine.version)
        return _degrade(plan, "scoring_failed")


def _degrade(plan: _Plan, reason: str) -> _Draft:
    """Popular films in place of a list; none in place of what is like one film, which they are not."""
    request = plan.request
    telemetry.degraded_slates.labels(surface=request.surface, reason=reason).inc()
    logger.warning("slate_degraded reason=%s surface=%s", reason, request.surface)
    if request.anchor is not None:
        return _Draft(plan, degraded=reason)
    films = most_popular(request.n, excluded=plan.excluded, genre=request.genre, only=request.only)
    return _Draft(plan, popular=tuple(films), degraded=reason)


def _score(plan: _Plan, active: Engine, hidden: Collection[int]) -> _Draft:
    history = history_of(active, plan.rated)
    if plan.request.anchor is not None and len(history) == 0:
        return _Draft(plan)
    blocked = _blocked(plan, active, hidden)
    occasion = Occasion(plan.context, plan.now, plan.assignment.bandit_suspended)
    folding = Folding(active, history)
    drawn = draw(_drawable(plan.strategy, folding), occasion, n=plan.request.n, seed=plan.seed)
    placed = place(folding, drawn, diversity=plan.diversity, blocked=blocked)
    items = np.array([placement.item for placement in placed.placements], dtype=np.int64)
    return _Draft(
        plan,
        placed=placed,
        movie_ids=tuple(active.items.ids[items].tolist()),
        leads=tuple(leads_of(active, placed, history)),
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


def _blocked(plan: _Plan, active: Engine, hidden: Collection[int]) -> Bool:
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


def _chosen(draft: _Draft, films: dict[int, Film]) -> list[Chosen]:
    """The films with reason and predicted stars; those that may not be shown are left out."""
    if draft.popular:
        return [_popular(film) for film in draft.popular]
    unnamed = draft.plan.unnamed
    titles = {movie_id: film.title for movie_id, film in films.items() if movie_id not in unnamed}
    bandit = draft.placed.bandit
    similar = draft.plan.request.anchor is not None
    return [
        Chosen(
            film=films[movie_id],
            algorithm=placement.algorithm,
            score=placement.score,
            confidence=bandit.means.get(placement.algorithm) if bandit else None,
            propensity=placement.propensity,
            predicted_rating=None if draft.stars is None else round(draft.stars[spot], 2),
            reason=reason_of(draft.leads[spot], titles, similar=similar),
        )
        for spot, (movie_id, placement) in enumerate(
            zip(draft.movie_ids, draft.placed.placements, strict=True)
        )
        if movie_id in films
    ]


def _popular(film: Film) -> Chosen:
    return Chosen(
        film=film,
        algorithm=FALLBACK_ARM,
        score=float(film.rating_count),
        confidence=None,
        propensity=None,
        predicted_rating=None,
        reason=POPULAR,
    )
