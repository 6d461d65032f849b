"""Writing the log: slates as they are served, feedback as it comes, outcomes as they settle."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate

from apps.core import clock
from apps.core.errors import Conflict
from apps.events.insertion import SlateLog, insert_feedback, insert_slates
from apps.events.models import Feedback, Kind, MovieDay, RecommendationEvent, Slate
from apps.events.outcome import Facts, Outcome, Said, outcome_of, settle
from apps.events.querysets import ATTRIBUTION_WINDOW, RATING_WINDOW
from apps.ratings.querysets import CLICK
from apps.ratings.services import note_departures

SETTLED_AFTER = timedelta(days=7)
RATINGS = {Kind.RATE, Kind.UNRATE}


def record_slates(logs: Sequence[SlateLog]) -> list[list[int]]:
    """Writes slates, at least one, with their assignments and one row for each film; the films' event ids
    in order, slate by slate.
    """
    return insert_slates(logs)


def record_feedback(feedback: Feedback) -> tuple[Feedback, bool]:
    """Inserts, unless this unit said it before; the row that holds, and whether it is new."""
    pk = insert_feedback(feedback)
    if pk is None:
        return Feedback.objects.get(unit_key=feedback.unit_key, client_id=feedback.client_id), False
    feedback.pk = pk
    return feedback, True


def attribute(
    *, user_id: int, movie_id: int, kind: str, at: datetime, recommendation_id: UUID | None
) -> int | None:
    """The impression that an act belongs to when the viewer named none: one of the named slate, else
    the viewer's latest of this film within 24 hours (ratings: 7 days). None when there is none.
    """
    mine = RecommendationEvent.objects.filter(user_id=user_id, movie_id=movie_id)
    if recommendation_id is not None:
        return mine.filter(slate_id=recommendation_id).values_list("pk", flat=True).first()
    window = RATING_WINDOW if kind in RATINGS else ATTRIBUTION_WINDOW
    latest = RecommendationEvent.objects.latest_of(user_id=user_id, movie_id=movie_id, at=at, window=window)
    return latest.values_list("pk", flat=True).first()


def settle_impression(event_id: int) -> tuple[Outcome, Outcome]:
    """Sets an impression's facts and outcome from all that was said of it; (outcome before, after).

    Must run inside the transaction that wrote the feedback: the row's lock orders two acts that
    arrive at once, and the later one sees what the earlier one said. Raises ``Conflict`` where the outcome
    became another one all the same, so that no change of it is counted twice.
    """
    event = RecommendationEvent.objects.select_for_update().get(pk=event_id)
    said = Feedback.objects.filter(event_id=event_id).values_list("occurred_at", "kind", "value", "client_id")
    facts = settle(Said(*row) for row in said)
    before = Outcome(event.outcome)
    expired = before is Outcome.IGNORED
    after = outcome_of(facts, expired=expired)
    changes = _changes(event, facts)
    if after is not before:
        changes |= {"outcome": after.value, "outcome_at": clock.now()}
    if changes:
        # The condition makes a change of outcome happen once, whatever else runs.
        as_read = RecommendationEvent.objects.filter(pk=event_id, outcome=before.value)
        if not as_read.update(**changes):
            raise Conflict("What became of this film was settled meanwhile: say it once more")
    return before, after


def _changes(event: RecommendationEvent, facts: Facts) -> dict[str, object]:
    return {name: value for name, value in asdict(facts).items() if getattr(event, name) != value}


@transaction.atomic
def adopt_unit(*, unit_key: UUID, user_id: int) -> int:
    """Gives a unit's earlier rows, made before it had a user, to its user; how many impressions."""
    slates = Slate.objects.filter(unit_key=unit_key, user=None)
    ids = list(slates.values_list("pk", flat=True))
    slates.update(user_id=user_id)
    return RecommendationEvent.objects.filter(slate_id__in=ids, user=None).update(user_id=user_id)


def expire_pending(*, now: datetime) -> int:
    """Closes impressions that nobody answered within the window; how many. Closing is all it does."""
    return RecommendationEvent.objects.filter(
        outcome=Outcome.PENDING.value, created_at__lt=now - SETTLED_AFTER
    ).update(outcome=Outcome.IGNORED.value, outcome_at=now)


@transaction.atomic
def roll_up_movie_days(*, first: date, last: date) -> int:
    """Counts the log of these UTC days, both included, anew into ``movie_days``; how many rows.

    Run as often as one likes: a day is always counted whole.
    """
    rows = (
        RecommendationEvent.objects.filter(
            created_at__gte=_midnight(first), created_at__lt=_midnight(last) + timedelta(days=1)
        )
        .values("movie_id", surface=F("slate__surface"), day=TruncDate("created_at", tzinfo=UTC))
        .annotate(shown=Count("pk"), clicks=Count("pk", filter=Q(clicked=True)))
        .order_by("day", "surface", "movie_id")
    )
    counted = [
        MovieDay(
            movie_id=row["movie_id"],
            surface=row["surface"],
            day=row["day"],
            shown=row["shown"],
            clicked=row["clicks"],
        )
        for row in rows
    ]
    MovieDay.objects.bulk_create(
        counted,
        update_conflicts=True,
        update_fields=["shown", "clicked"],
        unique_fields=["day", "surface", "movie"],
        batch_size=1000,
    )
    return len(counted)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@transaction.atomic
def hand_over(*, from_id: int, to_id: int) -> None:
    """Gives a guest's log to the account that the guest logged in to. Units stay as they were."""
    for rows in (Slate.objects, RecommendationEvent.objects):
        rows.filter(user_id=from_id).update(user_id=to_id)
    if Feedback.objects.filter(user_id=from_id).update(user_id=to_id):
        note_departures(kind=CLICK, user_ids=[from_id, to_id])


@transaction.atomic
def unlink(*, user_id: int, unit_key: UUID) -> None:
    """Takes a person out of the log: rows keep arm, context, outcome, propensity and weight.

    Reasons go, because they name films of the history, and the stars given.
    """
    said = Feedback.objects.filter(Q(user_id=user_id) | Q(unit_key=unit_key))
    who = {user_id, *said.order_by().values_list("user_id", flat=True).distinct()}
    if said.delete()[0]:
        note_departures(kind=CLICK, user_ids=who, is_erasure=True)
    RecommendationEvent.objects.filter(user_id=user_id).update(user=None, reason={}, rating_value=None)
    Slate.objects.filter(Q(user_id=user_id) | Q(unit_key=unit_key)).update(
        user=None, unit_key=None, history=b"", exclusions=b""
    )
