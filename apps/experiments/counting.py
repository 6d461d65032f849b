"""What units were shown under experiments and what came of it, read from the log."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
from django.db.models import Count, Q, Sum

from apps.algorithms.statistics.latency import LatencyHistogram
from apps.algorithms.types import Float64
from apps.core.identifiers import first_uuid7
from apps.events.models import Feedback, RecommendationEvent, Slate, SlateAssignment
from apps.events.outcome import Outcome
from apps.experiments.metrics import SUMS

PRE_DAYS = 14
"""How long before its exposure a unit is looked at, to tell chance from effect (CUPED)."""
_MOST_IDS = 5_000
_LIST = (
    "experiment_key",
    "phase",
    "variant",
    "slate_id",
    "slate__unit_key",
    "slate__created_at",
    "slate__degraded",
    "slate__n_returned",
    "slate__novelty",
    "slate__n_genres",
    "slate__latency_ms",
    "slate__context__user_segment",
)
Item = TypeVar("Item")


class UnitDate(NamedTuple):
    unit_key: UUID
    day: date


class Part(NamedTuple):
    """Where a unit took part: what its sums are kept by."""

    experiment: str
    phase: int
    unit_key: UUID


@dataclass
class Day:
    """One unit's counted lists of one day of a phase. ``sums`` is float64 ``(len(SUMS),)``."""

    variant: str
    segment: str
    first_at: datetime
    sums: Float64 = field(default_factory=lambda: np.zeros(len(SUMS)))
    latencies: list[float] = field(default_factory=list)

    @property
    def latency(self) -> dict[str, int]:
        return LatencyHistogram.of(self.latencies).to_json()


class Before(NamedTuple):
    """Of the lists before a unit's exposure, and what was said of them before it."""

    lists: float
    clicks: float
    rated: float


def touched_since(since: datetime | None, feedback_id: int) -> set[UnitDate]:
    """Units and days with a counted list since then, or that something was said of in later feedback.

    All that there are where ``since`` is None. Two queries.
    """
    lists = SlateAssignment.objects.filter(counted=True, slate__unit_key__isnull=False)
    said = Feedback.objects.filter(id__gt=feedback_id, event__isnull=False).values("event__slate_id")
    newer = lists if since is None else lists.filter(slate_id__gte=first_uuid7(since))
    found = set(newer.values_list("slate__unit_key", "slate__created_at"))
    if since is not None:
        found |= set(lists.filter(slate_id__in=said).values_list("slate__unit_key", "slate__created_at"))
    return {UnitDate(unit, day_of(at)) for unit, at in found if unit is not None}


def days_of(wanted: Collection[UnitDate]) -> dict[Part, dict[date, Day]]:
    """The sums of these units and days, of each phase that they were counted in; as the log says now."""
    found: dict[Part, dict[date, Day]] = defaultdict(dict)
    by_slate: dict[UUID, list[Day]] = defaultdict(list)
    for key, phase, variant, slate, unit, at, *about in _lists(wanted):
        days = found[Part(key, phase, unit)]
        day = days.setdefault(day_of(at), Day(variant, about[-1] or "", at))
        _add_list(day, *about[:-1])
        by_slate[slate].append(day)
    for some in in_parts(by_slate, _MOST_IDS):
        for slate, *counts in _films(some):
            for day in by_slate[slate]:
                day.sums[_FILMS] += [float(count or 0) for count in counts]
    return found


def before_exposure(exposed: Mapping[UUID, datetime]) -> dict[UUID, Before]:
    """What each unit did in the ``PRE_DAYS`` before that moment; nothing of it changes any more."""
    if not exposed:
        return {}
    first = min(exposed.values()) - timedelta(days=PRE_DAYS)
    lists = Slate.objects.filter(
        unit_key__in=list(exposed), counted=True, created_at__gte=first, created_at__lt=max(exposed.values())
    )
    owners: dict[UUID, UUID] = {}
    rows: Iterable[tuple[Any, ...]] = lists.values_list("pk", "unit_key", "created_at")
    found: dict[UUID, list[float]] = {unit: [0.0, 0.0, 0.0] for unit in exposed}
    for slate, unit, at in rows:
        if exposed[unit] - timedelta(days=PRE_DAYS) <= at < exposed[unit]:
            owners[slate] = unit
            found[unit][0] += 1
    for some in in_parts(owners, _MOST_IDS):
        said = RecommendationEvent.objects.filter(Q(clicked=True) | Q(rated=True), slate_id__in=some)
        for slate, clicked_at, rated_at in said.values_list("slate_id", "clicked_at", "rated_at"):
            unit = owners[slate]
            found[unit][1] += bool(clicked_at and clicked_at < exposed[unit])
            found[unit][2] += bool(rated_at and rated_at < exposed[unit])
    return {unit: Before(*sums) for unit, sums in found.items()}


def day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def in_parts(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some


_SPOTS = {name: spot for spot, name in enumerate(SUMS)}
FILM_SUMS: Mapping[str, Any] = {
    "shown": Count("pk"),
    "clicks": Count("pk", filter=Q(clicked=True)),
    "successes": Count("pk", filter=Q(outcome=Outcome.SUCCESS.value)),
    "rated": Count("pk", filter=Q(rated=True)),
    "clicked_rated": Count("pk", filter=Q(clicked=True, rated=True)),
    "clicked_stars": Sum("rating_value", filter=Q(clicked=True, rated=True)),
    "watchlisted": Count("pk", filter=Q(added_to_watchlist=True)),
    "dismissed": Count("pk", filter=Q(dismissed=True)),
    "long_tail": Count("pk", filter=Q(is_long_tail=True)),
    "niche": Count("pk", filter=Q(is_niche=True)),
}
_FILMS = [_SPOTS[name] for name in FILM_SUMS]


def _lists(wanted: Collection[UnitDate]) -> Iterator[tuple[Any, ...]]:
    """The counted lists of these units and days, by time."""
    if not wanted:
        return
    days = {one.day for one in wanted}
    rows = SlateAssignment.objects.filter(
        counted=True,
        slate__unit_key__in={one.unit_key for one in wanted},
        slate__created_at__gte=midnight(min(days)),
        slate__created_at__lt=midnight(max(days)) + timedelta(days=1),
    )
    for row in rows.order_by("slate__created_at", "slate_id").values_list(*_LIST):
        if UnitDate(row[4], day_of(row[5])) in wanted:
            yield row


def _films(slate_ids: Sequence[UUID]) -> Iterator[tuple[Any, ...]]:
    # Named apart from the columns, some of which are called the same.
    sums = {f"sum_{name}": expression for name, expression in FILM_SUMS.items()}
    films = RecommendationEvent.objects.filter(slate_id__in=slate_ids).order_by()
    yield from films.values("slate_id").annotate(**sums).values_list("slate_id", *sums)


def _add_list(
    day: Day, degraded: str, n_returned: int, novelty: float | None, n_genres: int | None, latency_ms: float
) -> None:
    sums = day.sums
    sums[_SPOTS["lists"]] += 1
    sums[_SPOTS["degraded"]] += bool(degraded)
    sums[_SPOTS["empty"]] += n_returned == 0
    if novelty is not None and n_genres is not None:
        sums[_SPOTS["measured"]] += 1
        sums[_SPOTS["novelty"]] += novelty
        sums[_SPOTS["genres"]] += n_genres
    day.latencies.append(latency_ms)
