"""From a list of films to its rows in the log."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from apps.algorithms.context import Context
from apps.algorithms.strategy import Strategy
from apps.bandits.services import count_slates
from apps.bandits.services import is_counted as is_counted_by_bandit
from apps.core.identifiers import uuid7
from apps.events.insertion import Impression, Shared, SlateLog
from apps.events.models import Slate, Surface
from apps.events.packing import pack_history, pack_ids
from apps.events.services import record_slates
from apps.experiments.services import Assignment
from apps.recommendations.drawing import BanditDraw
from apps.recommendations.films import Film
from apps.recommendations.slates import Reason, ServedSlate, SlateRequest, Slot
from apps.recommendations.variety import Variety

COUNTED_SURFACES = frozenset({Surface.FOR_YOU, Surface.API})


class Chosen(NamedTuple):
    """One film chosen for one slot, not yet logged."""

    film: Film
    algorithm: str
    score: float
    confidence: float | None
    propensity: float | None
    predicted_rating: float | None
    reason: Reason


@dataclass(frozen=True)
class Decision:
    """A whole slate and everything that led to it.

    ``history`` is (film id, stars), oldest first; ``excluded`` what was kept out, the history included;
    ``is_personal`` as in ``ServedSlate``; ``variety`` None where no arm placed a film.
    """

    assignment: Assignment
    strategy: Strategy
    diversity: float
    label: str
    model_version: str
    context: Context
    history: Sequence[tuple[int, float]]
    excluded: Collection[int]
    chosen: Sequence[Chosen]
    is_personal: bool
    owners: Sequence[str]
    bandit: BanditDraw | None
    variety: Variety | None
    seed: int
    degraded: str
    now: datetime
    latency_ms: float


def new_seed() -> int:
    return secrets.randbits(63)


def is_counted(request: SlateRequest) -> bool:
    """Whether a slate counts for experiments, the bandit and alerts."""
    viewer = request.viewer
    return (
        request.counted
        and request.unit_key is not None
        and request.surface in COUNTED_SURFACES
        and not request.overridden_by
        and not (viewer is not None and viewer.is_imported)
    )


def serve(decided: Sequence[tuple[SlateRequest, Decision]]) -> list[ServedSlate]:
    """Logs the slates of those whose visitor has a unit, together, and returns all as they were shown."""
    rows = {
        number: _log_of(request, decision)
        for number, (request, decision) in enumerate(decided)
        if request.unit_key is not None
    }
    ids = dict(zip(rows, _record(list(rows.values())), strict=True)) if rows else {}
    return [
        _served(request, decision, rows[number].slate.pk if number in rows else None, ids.get(number))
        for number, (request, decision) in enumerate(decided)
    ]


def _record(logs: Sequence[SlateLog]) -> list[list[int]]:
    if not any(is_counted_by_bandit(log) for log in logs):
        return record_slates(logs)
    with transaction.atomic():
        ids = record_slates(logs)
        # Last, so that the rows that everybody's lists meet are held for as short as can be.
        count_slates(logs)
    return ids


def _served(
    request: SlateRequest, decision: Decision, slate_id: UUID | None, event_ids: Sequence[int] | None
) -> ServedSlate:
    ids: Sequence[int | None] = event_ids or [None] * len(decision.chosen)
    return ServedSlate(
        recommendation_id=slate_id,
        user_id=request.viewer.pk if request.viewer else None,
        surface=request.surface,
        strategy=decision.label,
        policy=decision.strategy.policy,
        recipe=decision.assignment.recipe,
        model_version=decision.model_version,
        policy_version=decision.assignment.policy_version,
        experiments=decision.assignment.served,
        overridden_by=request.overridden_by,
        degraded=decision.degraded or None,
        is_personal=decision.is_personal,
        context=decision.context,
        slots=tuple(
            _slot(position, chosen, event_id)
            for position, (chosen, event_id) in enumerate(zip(decision.chosen, ids, strict=True), start=1)
        ),
    )


def _log_of(request: SlateRequest, decision: Decision) -> SlateLog:
    slate = _slate_row(request, decision)
    return SlateLog(
        slate=slate,
        shared=_shared(decision),
        impressions=[
            _impression(position, chosen) for position, chosen in enumerate(decision.chosen, start=1)
        ],
        served=[replace(one, counted=one.counted and slate.counted) for one in decision.assignment.served],
    )


def _slot(position: int, chosen: Chosen, event_id: int | None) -> Slot:
    return Slot(
        event_id=event_id,
        movie_id=chosen.film.movie_id,
        title=chosen.film.title,
        position=position,
        score=chosen.score,
        algorithm=chosen.algorithm,
        confidence=chosen.confidence,
        propensity=chosen.propensity,
        predicted_rating=chosen.predicted_rating,
        reason=chosen.reason,
    )


def _slate_row(request: SlateRequest, decision: Decision) -> Slate:
    movie_ids = [movie_id for movie_id, _ in decision.history]
    return Slate(
        id=uuid7(),
        unit_key=request.unit_key,
        user_id=request.viewer.pk if request.viewer else None,
        surface=request.surface,
        strategy=decision.label,
        strategy_config=decision.strategy.to_json(),
        recipe=decision.assignment.recipe,
        model_version=decision.model_version,
        policy_version=decision.assignment.policy_version,
        bandit_version=decision.bandit.version if decision.bandit else None,
        context=decision.context.as_dict(),
        context_index=decision.context.index,
        overridden_by=request.overridden_by,
        degraded=decision.degraded,
        counted=is_counted(request),
        n_requested=request.n,
        n_returned=len(decision.chosen),
        diversity=decision.diversity,
        latency_ms=decision.latency_ms,
        novelty=decision.variety.novelty if decision.variety else None,
        n_genres=decision.variety.n_genres if decision.variety else None,
        seed=decision.seed,
        owners=list(decision.owners),
        posterior=dict(decision.bandit.posterior) if decision.bandit else {},
        history=pack_history(movie_ids, [stars for _, stars in decision.history]),
        exclusions=pack_ids(sorted(set(decision.excluded).difference(movie_ids))),
        created_at=decision.now,
    )


def _shared(decision: Decision) -> Shared:
    strategic = next((one for one in decision.assignment.served if one.layer == "strategy"), None)
    bandit = decision.bandit
    return Shared(
        bandit_context=bandit.context if bandit else None,
        experiment_id=strategic.experiment_key if strategic else "",
        variant=strategic.variant if strategic else "",
        explored=bandit.explored if bandit else False,
        weight=bandit.weight if bandit else 1.0,
    )


def _impression(position: int, chosen: Chosen) -> Impression:
    return Impression(
        movie_id=chosen.film.movie_id,
        position=position,
        algorithm=chosen.algorithm,
        score=chosen.score,
        confidence=chosen.confidence,
        propensity=chosen.propensity,
        is_long_tail=chosen.film.is_long_tail,
        is_niche=chosen.film.is_niche,
        reason=chosen.reason.as_json(),
    )
