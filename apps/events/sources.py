"""What the log holds about a person, for the privacy registry."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, QuerySet

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.events.models import Feedback, RecommendationEvent, Slate
from apps.events.packing import unpack_history, unpack_ids
from apps.events.services import hand_over, unlink

_SLATE = (
    "id created_at surface strategy recipe model_version policy_version bandit_version context "
    "overridden_by degraded counted n_requested n_returned diversity novelty n_genres owners posterior"
).split()
_ASSIGNMENT = "experiment_key phase variant counted".split()
_IMPRESSION = (
    "id slate_id created_at movie_id title position algorithm recommendation_score reason clicked "
    "clicked_at rated rated_at rating_value added_to_watchlist added_to_favorites thumbs_up thumbs_down "
    "dismissed outcome outcome_at experiment_id variant context bandit_context algorithm_confidence "
    "propensity weight explored is_long_tail is_niche"
).split()
_FEEDBACK = "id movie_id title kind value event_id occurred_at received_at client_id".split()


def register_sources() -> None:
    register_source(DataSource("slates", _export_slates, _erase, _merge))
    register_source(DataSource("impressions", _export_impressions, _nothing))
    register_source(DataSource("feedback", _export_feedback, _nothing))


def _export_slates(user: User) -> Iterator[Row]:
    slates = Slate.objects.filter(user=user).order_by("created_at").prefetch_related("assignments")
    for slate in slates.iterator(chunk_size=500):
        row: dict[str, object] = {name: getattr(slate, name) for name in _SLATE}
        row["history"] = [list(one) for one in unpack_history(bytes(slate.history))]
        row["exclusions"] = unpack_ids(bytes(slate.exclusions))
        row["assignments"] = [
            {name: getattr(one, name) for name in _ASSIGNMENT} for one in slate.assignments.all()
        ]
        yield row


def _export_impressions(user: User) -> Iterator[Row]:
    yield from _with_title(RecommendationEvent.objects.filter(user=user)).values(*_IMPRESSION).iterator()


def _export_feedback(user: User) -> Iterator[Row]:
    yield from _with_title(Feedback.objects.filter(user=user)).values(*_FEEDBACK).iterator()


def _with_title(rows: QuerySet[Any]) -> QuerySet[Any]:
    titled: QuerySet[Any] = rows.order_by("pk").annotate(title=F("movie__title"))
    return titled


def _erase(user: User) -> None:
    unlink(user_id=user.pk, unit_key=user.unit_key)


def _nothing(user: User) -> None:
    """``slates`` has unlinked the whole log."""


def _merge(guest: User, into: User) -> None:
    hand_over(from_id=guest.pk, to_id=into.pk)
