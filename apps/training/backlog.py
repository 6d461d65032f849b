"""How much the live model has yet to learn, and what that calls for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, Max, OuterRef, Q, Subquery
from django.utils import timezone

from apps.algorithms.base import InvalidParameter
from apps.ratings.models import Rating, RatingDeparture
from apps.training.catching_up import OVERLAP
from apps.training.data import EXPLICIT_RATINGS, DataParameters
from apps.training.models import ModelVersion, TrainingRun
from apps.training.parameters import split_parameters
from apps.training.sources import departure_kinds

RETRY_AFTER = timedelta(hours=1)
"""After an update that failed or was refused, unless as many ratings came as call for an update."""
ERASURE = "erasure"
COMPACTION = "compaction"


@dataclass(frozen=True)
class Backlog:
    """``buffer_size`` ratings came, changed or went since the live version read them; it knows
    ``total_processed``. ``trigger`` says what calls for an update, empty where nothing does.
    """

    buffer_size: int
    total_processed: int
    trigger: str = ""
    read_at: datetime | None = None

    @property
    def should_update(self) -> bool:
        return bool(self.trigger)


def backlog(recipe: str) -> Backlog:
    """Counted from the database, so that a lost message loses nothing. Two queries."""
    version = _live(recipe).values_list("read_at", "n_ratings", "tried_at").first()
    if version is None:
        return _without_version(Rating.objects.standing().count())
    read_at, n_ratings, tried_at = version
    late = Q(updated_at__gt=tried_at) if tried_at else Q()
    waiting = Rating.objects.filter(updated_at__gt=read_at)
    counted = waiting.aggregate(all=Count("pk"), late=Count("pk", filter=late))
    trigger = _trigger(counted["all"], counted["late"], read_at, tried_at)
    return Backlog(counted["all"], n_ratings, trigger, read_at)


def has_erasures(recipe: str) -> bool:
    """Whether what the live version was fitted on may hold ratings of somebody who was erased since, or what
    else its recipe learns from."""
    mark = _live(recipe).values_list("read_at", "tried_at", "recipe__parameters").first()
    if mark is None or (mark[1] and timezone.now() - mark[1] < RETRY_AFTER):
        return False
    # Who left in a transaction that was open while the version read was still there to be read.
    gone = RatingDeparture.objects.filter(is_erasure=True, at__gt=mark[0] - OVERLAP)
    return gone.filter(kind__in=departure_kinds(_data_of(mark[2]))).exists()


def _data_of(parameters: Any) -> DataParameters:
    try:
        return split_parameters(parameters).data
    except InvalidParameter:
        # It will be fitted from nothing, or not at all.
        return EXPLICIT_RATINGS


def is_loose(recipe: str) -> bool:
    """Whether the live version has arms that are to be compacted, and no attempt came to nothing lately."""
    mark = _live(recipe).values_list("metrics", "tried_at").first()
    if mark is None or (mark[1] and timezone.now() - mark[1] < RETRY_AFTER):
        return False
    return bool(mark[0].get("loose"))


def _live(recipe: str):  # type: ignore[no-untyped-def] # django-stubs has no name for an annotated row
    """With ``tried_at``, when an update that came to nothing was last begun since."""
    came_to_nothing = TrainingRun.objects.filter(
        recipe=OuterRef("recipe"),
        status__in=(TrainingRun.Status.FAILED, TrainingRun.Status.REFUSED),
        started_at__gt=OuterRef("read_at"),
    )
    last = came_to_nothing.order_by().values("recipe").annotate(at=Max("started_at")).values("at")
    return ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE).annotate(
        tried_at=Subquery(last, output_field=DateTimeField())
    )


def _without_version(n_ratings: int) -> Backlog:
    is_enough = n_ratings >= settings.UPDATE_THRESHOLD
    return Backlog(n_ratings, 0, threshold_trigger() if is_enough else "")


def _trigger(waiting: int, late: int, read_at: datetime, tried_at: datetime | None) -> str:
    if tried_at and late < settings.UPDATE_THRESHOLD and timezone.now() - tried_at < RETRY_AFTER:
        return ""
    if waiting >= settings.UPDATE_THRESHOLD:
        return threshold_trigger()
    hours = settings.UPDATE_INTERVAL_HOURS
    is_overdue = timezone.now() - read_at >= timedelta(hours=hours)
    return f"interval_{hours:g}h" if waiting and is_overdue else ""


def threshold_trigger() -> str:
    return f"threshold_reached_{settings.UPDATE_THRESHOLD}"
