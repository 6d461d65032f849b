"""The vocabulary of what is kept per day."""

from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class DriftQuerySet(models.QuerySet[Row]):
    def of(self, recipe: str) -> Self:
        return self.filter(recipe=recipe)

    def of_last_day(self, recipe: str) -> Self:
        """The rows of the last day that was worked out for the recipe; none before the first."""
        days = self.of(recipe).order_by("-day")
        return self.of(recipe).filter(day=models.Subquery(days.values("day")[:1]))
