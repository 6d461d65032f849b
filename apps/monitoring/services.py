"""Keeping per day how the site fares."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from apps.experiments.policy import recipes_in_use
from apps.monitoring.drift import Compared, compare_ratings, compare_served
from apps.monitoring.drift.served import Period
from apps.monitoring.models import DriftDay
from apps.training.baseline import read_baseline
from apps.training.models import ModelVersion

WINDOW_DAYS = 7
"""What counts as now: so many UTC days, the day itself the last. A single one would be few, and no Sunday is
as a Monday."""
BEFORE = timedelta(days=28)
"""How long before a version was trained lists still say what was shown then."""

_FIELDS = ["status", "psi", "on_nothing", "by_chance", "n_training", "n_now", "bins", "computed_at"]


def record_drifts(*, day: date) -> int:
    """Works the UTC day out for every recipe that serves anybody; how many rows it has."""
    return sum(len(record_drift(recipe=recipe, day=day)) for recipe in sorted(recipes_in_use()))


def record_drift(*, recipe: str, day: date) -> list[DriftDay]:
    """The day's rows of the recipe, in place of what was there of that day; none while it has no version.

    Now is the ``WINDOW_DAYS`` that end with ``day``. Training is the version whose ratings were read last
    before those days, so that none of them is on both sides; of a younger recipe its first version, and what
    came after it. Six queries.
    """
    first = _midnight(day - timedelta(days=WINDOW_DAYS - 1))
    until = _midnight(day + timedelta(days=1))
    version = _version_before(recipe, first, until)
    if version is None:
        return []
    now = Period(max(first, version.read_at), until)
    before = Period(version.read_at - BEFORE, version.read_at)
    compared = [
        *compare_ratings(read_baseline(version.metrics), since=now.since, until=now.until),
        *compare_served(recipe, before=before, now=now),
    ]
    return _replace(recipe, day, version.name, compared)


def latest_drift(recipe: str) -> Sequence[DriftDay]:
    """The rows of the recipe's last day that was worked out, by subject; ``has_drifted`` is for alerts."""
    return list(DriftDay.objects.of_last_day(recipe).order_by("subject"))


def first_day(recipe: str) -> date | None:
    """The first day that ``record_drift`` has rows of; None while the recipe has no version."""
    read_at = _served(recipe).aggregate(first=Min("read_at"))["first"]
    return read_at.astimezone(UTC).date() if read_at else None


def _served(recipe: str) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(recipe__name=recipe, activated_at__isnull=False)


def _version_before(recipe: str, first: datetime, until: datetime) -> ModelVersion | None:
    served = _served(recipe)
    before = served.filter(read_at__lt=first).order_by("-read_at").first()
    return before or served.filter(read_at__lt=until).order_by("read_at").first()


@transaction.atomic
def _replace(recipe: str, day: date, version: str, compared: Sequence[Compared]) -> list[DriftDay]:
    computed_at = timezone.now()
    rows = [
        DriftDay(day=day, recipe=recipe, version=version, computed_at=computed_at, **asdict(one))
        for one in compared
    ]
    of_day = DriftDay.objects.filter(day=day, recipe=recipe)
    of_day.exclude(version=version, subject__in=[row.subject for row in rows]).delete()
    return DriftDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=_FIELDS,
        unique_fields=["day", "recipe", "version", "subject"],
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
