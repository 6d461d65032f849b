"""What a viewer says of a film: into the log, into their preferences, onto the impression."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.bandits.services import count_outcome
from apps.catalog.models import Movie
from apps.core import clock, telemetry
from apps.core.errors import InvalidInput, NotFound
from apps.core.identifiers import uuid7
from apps.events.models import Feedback, Kind, RecommendationEvent, Slate
from apps.events.services import adopt_unit, attribute, record_feedback, settle_impression
from apps.ratings.services import record_preference

MAX_AHEAD = timedelta(minutes=5)
SEEN = frozenset({Kind.CLICK, Kind.VIEW})
# What was said of a film still counts when it is hidden, so it can be taken back.
TAKING_BACK = frozenset({Kind.UNRATE, Kind.UNFAVORITE, Kind.UNWATCHLIST, Kind.THUMBS_CLEAR, Kind.UNDISMISS})


@dataclass(frozen=True)
class FeedbackRequest:
    """One act. ``viewer`` comes from the credential.

    ``event_id`` names the impression, else ``recommendation_id`` the slate, else the latest
    impression of the film counts. ``client_id`` (up to 64 characters) makes a repeat harmless;
    without one each call is a new act. ``occurred_at`` None is now.
    """

    viewer: User
    movie_id: int
    kind: Kind
    value: float | None = None
    event_id: int | None = None
    recommendation_id: UUID | None = None
    client_id: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class Given:
    """What became of an act. A replay changes nothing: ``is_new`` and ``changed`` are False.

    ``changed`` says whether the viewer's lasting preferences are different now.
    """

    feedback_id: int
    is_new: bool
    changed: bool
    event_id: int | None


@transaction.atomic
def give_feedback(request: FeedbackRequest) -> Given:
    """Records one act and all that follows from it, once, however often and in whatever order acts
    arrive.

    Raises ``NotFound`` for a film that is not there (a hidden one only lets a viewer take back what
    they said) or another viewer's impression, ``InvalidInput`` for an impression of another film, a
    rating out of range or a time over 5 minutes ahead, and ``Conflict`` where the impression was settled
    in between: nothing is recorded then.
    """
    now = clock.now()
    at = _occurred_at(request, now)
    _require_movie(request)
    _require_value(request)
    event_id = _event_of(request, at)
    row, is_new = record_feedback(
        Feedback(
            unit_key=request.viewer.unit_key,
            client_id=request.client_id or uuid7().hex,
            user=request.viewer,
            movie_id=request.movie_id,
            kind=request.kind,
            value=request.value,
            event_id=event_id,
            occurred_at=at,
            received_at=now,
        )
    )
    telemetry.feedback.labels(kind=request.kind, status="new" if is_new else "replay").inc()
    if not is_new:
        return Given(row.pk, is_new=False, changed=False, event_id=row.event_id)
    changed = request.kind not in SEEN and record_preference(
        user_id=request.viewer.pk, movie_id=request.movie_id, kind=request.kind, value=request.value, at=at
    )
    if event_id is not None:
        before, after = settle_impression(event_id)
        # Last, so that the row that everybody's feedback meets is held for as short as can be.
        count_outcome(event_id=event_id, before=before, after=after)
    return Given(row.pk, is_new=True, changed=changed, event_id=event_id)


def adopt_viewer(viewer: User) -> None:
    """Gives the rows that a new guest's unit left in the log to the guest."""
    adopt_unit(unit_key=viewer.unit_key, user_id=viewer.pk)


def _occurred_at(request: FeedbackRequest, now: datetime) -> datetime:
    at = request.occurred_at or now
    if at > now + MAX_AHEAD:
        raise InvalidInput.of("/occurred_at", "occurred_at lies more than 5 minutes ahead of our clock")
    return at


def _require_movie(request: FeedbackRequest) -> None:
    films = Movie.objects.all() if request.kind in TAKING_BACK else Movie.objects.available()
    if not films.filter(pk=request.movie_id).exists():
        raise NotFound(f"There is no film {request.movie_id}")


def _require_value(request: FeedbackRequest) -> None:
    if request.kind == Kind.RATE and request.value is None:
        raise InvalidInput.of("/rating", "A rating is 0.5 to 5 stars in steps of a half.")
    if request.kind != Kind.RATE and request.value is not None:
        raise InvalidInput.of("/rating", f"Only event_type rate takes a rating, not {request.kind}")


def _event_of(request: FeedbackRequest, at: datetime) -> int | None:
    if request.event_id is None:
        _require_slate(request)
        return attribute(
            user_id=request.viewer.pk,
            movie_id=request.movie_id,
            kind=request.kind,
            at=at,
            recommendation_id=request.recommendation_id,
        )
    event = RecommendationEvent.objects.filter(pk=request.event_id, user_id=request.viewer.pk).first()
    if event is None:
        raise NotFound(f"There is no event {request.event_id} of yours")
    if event.movie_id != request.movie_id:
        raise InvalidInput.of("/event_id", f"Event {event.pk} showed another film, not {request.movie_id}")
    return event.pk


def _require_slate(request: FeedbackRequest) -> None:
    wanted = request.recommendation_id
    if wanted and not Slate.objects.filter(pk=wanted, user_id=request.viewer.pk).exists():
        raise NotFound(f"There is no recommendation {wanted} of yours")
