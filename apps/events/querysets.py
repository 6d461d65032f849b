"""The log's vocabulary."""

from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)

ATTRIBUTION_WINDOW = timedelta(hours=24)
RATING_WINDOW = timedelta(days=7)


class ImpressionQuerySet(models.QuerySet[Row]):
    def latest_of(self, *, user_id: int, movie_id: int, at: datetime, window: timedelta) -> Self:
        """The viewer's impressions of a film that an act at ``at`` can belong to, latest first."""
        return self.filter(
            user_id=user_id, movie_id=movie_id, created_at__lte=at, created_at__gt=at - window
        ).order_by("-created_at", "-id")
