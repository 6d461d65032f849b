"""The bandit's vocabulary."""

from collections.abc import Iterable
from typing import Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class PolicyQuerySet(models.QuerySet[Row]):
    def newest_of(self, arms: Iterable[str]) -> Self:
        """The newest version of exactly these arms, in whatever order; none when they never served."""
        of_arms = self.filter(arms=sorted(arms)).order_by("-version")
        return self.filter(version__in=of_arms.values("version")[:1])
