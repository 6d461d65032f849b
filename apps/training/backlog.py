"""How much the live model has yet to learn."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.ratings.models import Rating
from apps.training.models import ModelVersion


@dataclass(frozen=True)
class Backlog:
    """``buffer_size`` ratings came or went since the live model was fitted; ``total_processed`` are in it.

    ``should_update`` says that they are enough for an update, or that they have waited long enough.
    """

    buffer_size: int
    should_update: bool
    total_processed: int


def backlog(recipe: str) -> Backlog:
    """Counted from the database, so that a lost message loses nothing. Two queries."""
    live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE)
    # A run reads the ratings after it started, so none that it missed is forgotten here.
    read_from = Coalesce("run__started_at", "created_at")
    version = live.annotate(read_from=read_from).values_list("read_from", "n_ratings").first()
    if version is None:
        return Backlog(Rating.objects.count(), should_update=True, total_processed=0)
    read_from, n_ratings = version
    waiting = Rating.objects.filter(updated_at__gt=read_from).count()
    overdue = timezone.now() - read_from >= timedelta(hours=settings.UPDATE_INTERVAL_HOURS)
    return Backlog(waiting, waiting >= settings.UPDATE_THRESHOLD or (waiting > 0 and overdue), n_ratings)
