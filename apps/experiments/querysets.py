"""Reads of experiments by trade name."""

from collections.abc import Sequence
from typing import Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef

Row = TypeVar("Row", bound=models.Model)


class ExperimentQuerySet(models.QuerySet[Row]):
    def owning_a_range(self) -> Self:
        """Those whose part of their layer is nobody else's: they run, or are paused and may run again."""
        return self.filter(state__in=["running", "paused"])


class PhaseQuerySet(models.QuerySet[Row]):
    def serving(self) -> Self:
        """The open phase of each experiment that runs, with its experiment."""
        return self.filter(ended_at=None, experiment__state="running").select_related("experiment__layer")

    def latest_of(self, keys: Sequence[str]) -> Self:
        """The last phase of each of these experiments, the open one where there is one."""
        later = self.model._default_manager.filter(
            experiment=OuterRef("experiment"), number__gt=OuterRef("number")
        )
        return self.filter(~Exists(later), experiment__in=keys)
