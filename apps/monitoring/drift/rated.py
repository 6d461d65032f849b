"""What viewers rated of late, beside the ratings that a version was trained on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from apps.algorithms.statistics import design_effect
from apps.monitoring.drift.comparing import Compared, Side, compare
from apps.ratings.models import Rating
from apps.training.baseline import (
    DECADES,
    GENRES,
    LONG_TAIL,
    NICHE,
    OTHER,
    RATINGS,
    STARS,
    SUBJECTS,
    YES,
    decade_name,
)


def compare_ratings(
    baseline: Mapping[str, Any] | None, *, since: datetime, until: datetime
) -> list[Compared]:
    """Each of ``baseline.SUBJECTS``. Two queries.

    ``baseline`` is what ``read_baseline`` found of the version. Ratings count by when viewers gave them, so
    that what they bring along from another site says nothing of these days.
    """
    rows = _given(since, until)
    counted = rows.values("user_id").annotate(m=Count("pk")).order_by()
    sums = counted.aggregate(n=Sum("m"), squares=Sum(F("m") * F("m")))
    n = sums["n"] or 0
    effect = design_effect(n, sums["squares"] or 0)
    tallies = _tallies(_by_feature(rows))
    return [
        compare(subject, _training(baseline, subject), Side(tallies[subject], n, effect), rest=OTHER)
        for subject in SUBJECTS
    ]


def _given(since: datetime, until: datetime) -> QuerySet[Rating]:
    """Of viewers alone; by ``updated_at`` too, which is later and has an index."""
    return Rating.objects.standing().filter(
        updated_at__gte=since,
        changed_at__gte=since,
        changed_at__lt=until,
        user__is_imported=False,
        user__merged_into=None,
    )


def _by_feature(rows: QuerySet[Rating]) -> Iterable[Mapping[str, Any]]:
    """Counted by the database, so that few rows come back however much was rated."""
    return (
        rows.values(
            "value",
            genre=F("movie__primary_genre__name"),
            decade=F("movie__year") / 10,
            is_long_tail=F("movie__is_long_tail"),
            is_niche=F("movie__is_niche"),
        )
        .annotate(n=Count("pk"))
        .order_by()
    )


def _tallies(groups: Iterable[Mapping[str, Any]]) -> Mapping[str, Mapping[str, float]]:
    found: dict[str, Counter[str]] = {subject: Counter() for subject in SUBJECTS}
    for group in groups:
        bins = {
            RATINGS: f"{group['value']:.1f}",
            GENRES: group["genre"] or OTHER,
            DECADES: decade_name(group["decade"]),
            LONG_TAIL: YES if group["is_long_tail"] else OTHER,
            NICHE: YES if group["is_niche"] else OTHER,
        }
        for subject, name in bins.items():
            found[subject][name] += group["n"]
    stars = {name: found[RATINGS][name] for name in STARS}
    return {subject: dict(counts) for subject, counts in found.items()} | {RATINGS: stars}


def _training(baseline: Mapping[str, Any] | None, subject: str) -> Side | None:
    if baseline is None:
        return None
    n = baseline["n"]
    return Side(baseline[subject], n, design_effect(n, baseline["sum_squares"]))
