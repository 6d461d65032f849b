"""What units were shown under experiments and what came of it, read from the log."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, TruncMinute

from apps.algorithms.statistics.latency import buckets_of
from apps.algorithms.types import Float64
from apps.core.identifiers import first_uuid7
from apps.events.models import Feedback, RecommendationEvent, Slate, SlateAssignment
from apps.events.outcome import Outcome
from apps.experiments.metrics import SUMS

PRE_DAYS = 14
"""How long before its exposure a unit is looked at, to tell chance from effect (CUPED)."""
_PRE = timedelta(days=PRE_DAYS)
_MOST_IDS = 5_000
Item = TypeVar("Item")
ByMinute = Mapping[str, Sequence[int]]
"""What the log holds of each minute, as JSON keeps it."""


@dataclass(frozen=True)
class Touched:
    """Days to be counted, of units in the order of their keys; ``days`` by unit, None are all of each."""

    units: Sequence[UUID]
    days: Mapping[UUID, Collection[date]] | None

    def condition(self, path: str = "unit_key") -> Q:
        """On rows with such a key. Of all days the units are all that lie between the first and the last."""
        if self.days is not None or not self.units:
            return Q(**{f"{path}__in": self.units})
        return Q(**{f"{path}__gte": self.units[0], f"{path}__lte": self.units[-1]})

    @property
    def all_days(self) -> set[date]:
        """Those of any of the units; none where all days of each are to be counted."""
        return set() if self.days is None else {day for unit in self.units for day in self.days[unit]}

    def has(self, unit: UUID, day: date) -> bool:
        return self.days is None or day in self.days[unit]


class Part(NamedTuple):
    """Where a unit took part: what its sums are kept by."""

    experiment: str
    phase: int
    unit_key: UUID


class Day(NamedTuple):
    """One unit's counted lists of one day of a phase: ``SUMS``, and the sparse histogram of their latency."""

    variant: str
    segment: str
    first_at: datetime
    sums: tuple[float, ...]
    latency: dict[str, int]


class Before(NamedTuple):
    """Of the lists before a unit's exposure, and what was said of them before it."""

    lists: float
    clicks: float
    rated: float


class _List(NamedTuple):
    """One counted list; the names are those of ``_LIST``."""

    experiment: str
    phase: int
    variant: str
    assignment: int
    unit_key: UUID
    at: datetime
    degraded: str
    n_returned: int
    novelty: float | None
    n_genres: int | None
    latency_ms: float
    segment: str | None


_LIST = (
    "experiment_key",
    "phase",
    "variant",
    "id",
    "slate__unit_key",
    "slate__created_at",
    "slate__degraded",
    "slate__n_returned",
    "slate__novelty",
    "slate__n_genres",
    "slate__latency_ms",
    "segment",
)


def lists_by_minute(since: datetime) -> dict[str, list[int]]:
    """How many counted lists the log has of each minute from then on, and the sum of their ids. One query."""
    minutes = _counted_since(since).annotate(minute=TruncMinute("slate__created_at", tzinfo=UTC)).order_by()
    found = minutes.values("minute").annotate(n=Count("id"), total=Sum("id"))
    rows = found.values_list("minute", "n", "total")
    # A sum of big integers is a decimal on PostgreSQL.
    return {minute.isoformat(): [n, int(total)] for minute, n, total in rows}


def first_change(before: ByMinute, now: ByMinute) -> datetime | None:
    """The first minute of ``now`` of which the log had other lists ``before``; None where there is none."""
    changed = [datetime.fromisoformat(minute) for minute in now if before.get(minute) != now[minute]]
    return min(changed, default=None)


def touched_since(since: datetime | None, feedback_id: int, *, most: int) -> Iterator[Touched]:
    """Days with a counted list since then, or that something was said of in later feedback, so many units at
    a time. None is no list. At most two queries.
    """
    said = Feedback.objects.filter(id__gt=feedback_id, event__isnull=False).values("event__slate_id")
    sources = [SlateAssignment.objects.filter(counted=True, slate_id__in=said)]
    if since is not None:
        sources.append(_counted_since(since))
    found: dict[UUID, set[date]] = defaultdict(set)
    for lists in sources:
        for unit, at in lists.values_list("slate__unit_key", "slate__created_at"):
            if unit is not None:
                found[unit].add(day_of(at))
    for units in in_parts(sorted(found), most):
        yield Touched(units, found)


def _counted_since(since: datetime) -> QuerySet[SlateAssignment]:
    # A list is at least as old as its identifier, by which they are found.
    return SlateAssignment.objects.filter(
        counted=True,
        slate_id__gte=first_uuid7(since),
        slate__created_at__gte=since,
        slate__unit_key__isnull=False,
    )


def whole_log(*, most: int) -> Iterator[Touched]:
    """All days of all units, so many units at a time. A query each."""
    units = (
        Slate.objects.filter(unit_key__isnull=False).order_by("unit_key").values_list("unit_key", flat=True)
    )
    some = list(units.distinct()[:most])
    while some:
        yield Touched([unit for unit in some if unit is not None], None)
        some = list(units.filter(unit_key__gt=some[-1]).distinct()[:most])


def days_of(touched: Touched) -> dict[Part, dict[date, Day]]:
    """The sums of these days, of each phase that they were counted in; as the log says now."""
    lists = list(_lists(touched))
    rows: dict[tuple[Part, date], int] = {}
    firsts: list[_List] = []
    owners = []
    for one in lists:
        row = rows.setdefault((Part(*one[:2], one.unit_key), day_of(one.at)), len(rows))
        if row == len(firsts):
            firsts.append(one)
        owners.append(row)
    sums = np.zeros((len(rows), len(SUMS)))
    np.add.at(sums, owners, _list_sums(lists) + _film_sums([one.assignment for one in lists]))
    latencies = _latencies(lists, owners)
    found: dict[Part, dict[date, Day]] = defaultdict(dict)
    for ((part, day), first), summed, latency in zip(
        zip(rows, firsts, strict=True), sums.tolist(), latencies, strict=True
    ):
        found[part][day] = Day(first.variant, first.segment or "", first.at, tuple(summed), latency)
    return found


def before_exposure(exposed: Mapping[UUID, datetime]) -> dict[UUID, Before]:
    """What each unit did in the ``PRE_DAYS`` before that moment; nothing of it changes any more."""
    if not exposed:
        return {}
    found: dict[UUID, list[float]] = {unit: [0.0, 0.0, 0.0] for unit in exposed}
    of_units: dict[str, Any] = {
        "unit_key__in": list(exposed),
        "counted": True,
        "created_at__gte": min(exposed.values()) - _PRE,
        "created_at__lt": max(exposed.values()),
    }
    lists = Slate.objects.filter(**of_units).order_by()
    for unit, at in lists.values_list("unit_key", "created_at"):
        if unit is not None:
            found[unit][0] += _is_before(at, exposed[unit])
    of_slates = {f"slate__{name}": value for name, value in of_units.items()}
    said = RecommendationEvent.objects.filter(Q(clicked=True) | Q(rated=True), **of_slates)
    facts = ("slate__unit_key", "slate__created_at", "clicked_at", "rated_at")
    for unit, at, clicked_at, rated_at in said.order_by().values_list(*facts):
        if unit is not None and _is_before(at, exposed[unit]):
            found[unit][1] += bool(clicked_at and clicked_at < exposed[unit])
            found[unit][2] += bool(rated_at and rated_at < exposed[unit])
    return {unit: Before(*sums) for unit, sums in found.items()}


def _is_before(at: datetime, moment: datetime) -> bool:
    return moment - _PRE <= at < moment


def day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def film_sums(path: str = "") -> dict[str, Any]:
    """The sums over films shown, of ``SUMS``, as aggregates; ``path`` leads to the impressions."""

    def sums(**facts: Any) -> Count:
        named = {f"{path}{name}": fact for name, fact in facts.items()}
        return Count(path.removesuffix("__") or "pk", filter=Q(**named))

    both = Q(**{f"{path}clicked": True, f"{path}rated": True})
    return {
        "shown": sums(),
        "clicks": sums(clicked=True),
        "successes": sums(outcome=Outcome.SUCCESS.value),
        "rated": sums(rated=True),
        "clicked_rated": sums(clicked=True, rated=True),
        "clicked_stars": Coalesce(Sum(f"{path}rating_value", filter=both), 0.0),
        "watchlisted": sums(added_to_watchlist=True),
        "dismissed": sums(dismissed=True),
        "long_tail": sums(is_long_tail=True),
        "niche": sums(is_niche=True),
    }


def in_parts(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some


_SPOTS = {name: spot for spot, name in enumerate(SUMS)}
_FILM_SUMS = film_sums("slate__events__")
_FILMS = [_SPOTS[name] for name in _FILM_SUMS]


def _lists(touched: Touched) -> Iterator[_List]:
    """The counted lists of these units and days, by time."""
    if not touched.units:
        return
    rows = SlateAssignment.objects.filter(touched.condition("slate__unit_key"), counted=True)
    if touched.days is not None:
        days = touched.all_days
        end = midnight(max(days)) + timedelta(days=1)
        rows = rows.filter(slate__created_at__gte=midnight(min(days)), slate__created_at__lt=end)
    rows = rows.annotate(segment=KeyTextTransform("user_segment", "slate__context"))
    for row in rows.order_by("slate__created_at", "id").values_list(*_LIST):
        one = _List._make(row)
        if touched.has(one.unit_key, day_of(one.at)):
            yield one


def _list_sums(lists: Sequence[_List]) -> Float64:
    """``SUMS`` of each but those of its films, ``(len(lists), len(SUMS))``."""
    sums = np.zeros((len(lists), len(SUMS)))
    is_measured = [one.novelty is not None and one.n_genres is not None for one in lists]
    sums[:, _SPOTS["lists"]] = 1
    sums[:, _SPOTS["degraded"]] = [bool(one.degraded) for one in lists]
    sums[:, _SPOTS["empty"]] = [one.n_returned == 0 for one in lists]
    sums[:, _SPOTS["measured"]] = is_measured
    sums[:, _SPOTS["novelty"]] = np.where(is_measured, [one.novelty or 0.0 for one in lists], 0.0)
    sums[:, _SPOTS["genres"]] = np.where(is_measured, [one.n_genres or 0 for one in lists], 0)
    return sums


def _film_sums(assignments: Sequence[int]) -> Float64:
    """``SUMS`` of the films of each list, ``(len(assignments), len(SUMS))``."""
    sums = np.zeros((len(assignments), len(SUMS)))
    rows = {assignment: row for row, assignment in enumerate(assignments)}
    # Named apart from the columns, some of which are called the same.
    named = {f"sum_{name}": expression for name, expression in _FILM_SUMS.items()}
    for some in in_parts(assignments, _MOST_IDS):
        lists = SlateAssignment.objects.filter(id__in=some).order_by()
        found = list(lists.values("id").annotate(**named).values_list("id", *named))
        sums[np.ix_([rows[row[0]] for row in found], _FILMS)] = [row[1:] for row in found]
    return sums


def _latencies(lists: Sequence[_List], owners: Sequence[int]) -> list[dict[str, int]]:
    """The histogram of each owner, of whom there are as many as the highest of ``owners`` says."""
    found: list[dict[str, int]] = [{} for _ in range(max(owners, default=-1) + 1)]
    buckets = buckets_of(np.array([one.latency_ms for one in lists]))
    for owner, bucket in zip(owners, map(str, buckets.tolist()), strict=True):
        found[owner][bucket] = found[owner].get(bucket, 0) + 1
    return found
