"""People who act on films, with the lists that led them there."""

import itertools
from datetime import UTC, datetime, timedelta

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Kind, RecommendationEvent
from apps.recommendations.services import FeedbackRequest, give_feedback
from tests.rows import make_slate

START = datetime(2026, 11, 1, tzinfo=UTC)
_minutes = itertools.count(1)


def show(user: User, movie: Movie, *, arm: str = "svd", propensity: float | None = 0.5) -> int:
    """Puts the film on a list of the person's; the impression's number."""
    event = RecommendationEvent.objects.create(
        slate=make_slate(user),
        user=user,
        movie=movie,
        algorithm=arm,
        recommendation_score=0.5,
        position=1,
        propensity=propensity,
        created_at=START,
    )
    return event.pk


def act(
    user: User, movie: Movie, kind: str, value: float | None = None, *, event: int | None = None
) -> datetime:
    """One act, a minute after the one before, as the site records it; its time."""
    at = START + timedelta(days=8, minutes=next(_minutes))
    give_feedback(FeedbackRequest(user, movie.pk, Kind(kind), value, event_id=event, occurred_at=at))
    return at
