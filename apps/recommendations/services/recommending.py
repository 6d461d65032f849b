"""``recommend()``: from a request to a logged list of films; and the lists of a page, together."""

import time
from collections.abc import Sequence

from apps.algorithms.strategy import Strategy
from apps.core import telemetry
from apps.recommendations.films import Film, available_films, hidden_ids
from apps.recommendations.placing import FALLBACK_ARM
from apps.recommendations.reasons import POPULAR, reason_of
from apps.recommendations.recording import Chosen, Decision, serve
from apps.recommendations.services.drafting import Draft, drafts_of
from apps.recommendations.services.exposing import exposed
from apps.recommendations.services.planning import Plan, plans_of
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import ViewerState, read_viewer


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


def decide_had(request: SlateRequest, serving: Sequence[tuple[Strategy, str]]) -> list[Decision]:
    """The slate that each of these would make, strategies with the name of their recipe, in that order.

    All by the same seed and for the viewer as they are now, whatever experiments they are in; nothing is
    logged.
    """
    (plan,) = plans_of([request], read_viewer(request.viewer, request.unit_key))
    found = []
    for strategy, recipe in serving:
        started = time.perf_counter()
        found += _decisions(*_shown_drafts([plan.had(strategy, recipe)]), started=started)
    return found


def _decide(requests: Sequence[SlateRequest], state: ViewerState) -> list[Decision]:
    started = time.perf_counter()
    drafts, films = _shown_drafts(plans_of(requests, state))
    return _decisions([exposed(draft) for draft in drafts], films, started=started)


def _decisions(drafts: Sequence[Draft], films: dict[int, Film], *, started: float) -> list[Decision]:
    chosen = [_chosen(draft, films) for draft in drafts]
    # Of a page each list has its share.
    latency_ms = (time.perf_counter() - started) * 1000 / len(drafts)
    return [
        Decision(
            assignment=draft.plan.assignment,
            strategy=draft.plan.strategy,
            diversity=draft.plan.diversity,
            label=draft.plan.strategy.label,
            model_version=draft.plan.engine.version if draft.plan.engine and not draft.degraded else "",
            context=draft.plan.context,
            history=draft.plan.rated,
            excluded=draft.plan.excluded,
            chosen=films_of_draft,
            is_personal=draft.placed.is_personal,
            owners=draft.placed.owners,
            bandit=draft.placed.bandit,
            variety=draft.variety,
            seed=draft.plan.seed,
            degraded=draft.degraded,
            now=draft.plan.now,
            latency_ms=latency_ms,
        )
        for draft, films_of_draft in zip(drafts, chosen, strict=True)
    ]


def _shown_drafts(plans: Sequence[Plan]) -> tuple[list[Draft], dict[int, Film]]:
    """The drafts, and every film that they show or name."""
    drafts = drafts_of(plans)
    films = _films_of(drafts)
    if any(movie_id not in films for draft in drafts for movie_id in draft.movie_ids):
        # A film was hidden since the model was fitted. Keep all hidden ones out and draft again.
        drafts = drafts_of(plans, hidden=hidden_ids())
        films = _films_of(drafts)
    return drafts, films


def _films_of(drafts: Sequence[Draft]) -> dict[int, Film]:
    return available_films({named for draft in drafts for named in draft.named_ids})


def _chosen(draft: Draft, films: dict[int, Film]) -> list[Chosen]:
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
