from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class PreferenceQuerySet(models.QuerySet[Row]):
    def of(self, user_id: int) -> Self:
        return self.filter(user_id=user_id)


class RatingQuerySet(PreferenceQuerySet[Row]):
    def standing(self) -> Self:
        """Ratings that hold: tombstones left out."""
        return self.filter(value__isnull=False)
