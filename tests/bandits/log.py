"""Slates that a bandit drew, as ``recommend()`` would log them, and what is said of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.bandits.models import BanditPolicy, BanditState
from apps.bandits.services import begin_version, count_slates
from apps.bandits.services.checking import SUMS
from apps.events.insertion import Impression, Shared, SlateLog
from apps.events.models import RecommendationEvent, Slate
from apps.events.services import record_slates
from apps.recommendations.services import FeedbackRequest, give_feedback
from tests.factories import make_movie, make_user

ARMS = ("als", "item_cf", "svd")


def make_policy(**terms: Any) -> BanditPolicy:
    """One that knows nothing."""
    policy = begin_version(arms=ARMS, reason="a test", by=None, keep=dict.fromkeys(ARMS, 0.0))
    BanditPolicy.objects.filter(pk=policy.pk).update(**terms)
    policy.refresh_from_db()
    return policy


def make_log(
    policy: BanditPolicy,
    arms: Sequence[str | None],
    *,
    viewer: User | None = None,
    context: int = 7,
    at: datetime | None = None,
    **values: Any,
) -> SlateLog:
    """A list with a film by each of ``arms``; None is a slot whose arm passed. The first was drawn first."""
    at = at or timezone.now()
    viewer = viewer or make_user()
    drawn = [arm for arm in dict.fromkeys(arms) if arm]
    slate = Slate(
        unit_key=viewer.unit_key,
        user_id=viewer.pk,
        surface="api",
        strategy="bandit",
        recipe="standard",
        policy_version=1,
        bandit_version=policy.version,
        context_index=context,
        n_requested=len(arms),
        n_returned=len(arms),
        latency_ms=1.0,
        seed=1,
        posterior={"arms": drawn, "draw_weight": policy.draw_weight_at(at)} if drawn else {},
        created_at=at,
        **{"counted": True} | values,
    )
    shared = Shared(context, "", "", explored=False, weight=policy.weight_at(at))
    return SlateLog(slate, shared, [_impression(spot, arm) for spot, arm in enumerate(arms, start=1)])


def _impression(position: int, arm: str | None) -> Impression:
    return Impression(
        movie_id=make_movie().pk,
        position=position,
        algorithm=arm or "popular",
        score=1.0,
        confidence=None,
        propensity=1 / 3 if arm else None,
        is_long_tail=False,
        is_niche=False,
        reason={},
    )


def serve(log: SlateLog) -> list[int]:
    """The event ids of the slate, logged and counted."""
    with transaction.atomic():
        (ids,) = record_slates([log])
        count_slates([log])
    return ids


def say(viewer: User, event_id: int, kind: str, **said: Any) -> None:
    """What the viewer says of the film of that event."""
    movie_id = RecommendationEvent.objects.get(pk=event_id).movie_id
    request: Any = {"viewer": viewer, "movie_id": movie_id, "kind": kind, "event_id": event_id}
    give_feedback(FeedbackRequest(**request | said))


def cells(policy: BanditPolicy) -> Mapping[tuple[int, str], tuple[float, ...]]:
    """(context, arm) to the sums, in the order of ``SUMS``."""
    rows = BanditState.objects.filter(policy=policy).values_list("context", "arm", *SUMS)
    return {(context, arm): tuple(sums) for context, arm, *sums in rows}
