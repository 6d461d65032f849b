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

    def serving(self) -> list[Row]:
        """The newest version of each set of arms that ever served, in order of the versions."""
        newest = {
            tuple(arms): version for version, arms in self.order_by("version").values_list("version", "arms")
        }
        return list(self.filter(version__in=newest.values()).order_by("version"))
