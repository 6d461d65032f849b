"""Counting the log into the sums that results are read from. Safe to run twice, and at once."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from apps.algorithms.types import Float64
from apps.core import clock
from apps.events.models import Feedback
from apps.experiments.contributions import Spot, changes, contributions_of, latency_changes
from apps.experiments.counting import (
    Day,
    Part,
    Touched,
    before_exposure,
    days_of,
    first_change,
    in_parts,
    lists_by_minute,
    touched_since,
    whole_log,
)
from apps.experiments.models import LatencyDay, Rollup, Snapshot, UnitDay, UnitTotal
from apps.experiments.services.sums import (
    Exposure,
    KeptDay,
    KeptDays,
    add_to_latencies,
    add_to_snapshots,
    kept_days,
    kept_exposures,
    unit_of,
    write_days,
    write_totals,
)

OVERLAP = timedelta(minutes=5)
"""How long a transaction that writes to the log may take: what it holds is looked for again."""
UNITS_AT_ONCE = {"postgresql": 4_000, "sqlite": 100}
"""Each time costs the snapshots once. On SQLite nobody else can write meanwhile, so it must be short."""


@dataclass(frozen=True)
class Counted:
    """How many days of units were counted, and how long it took."""

    unit_days: int
    seconds: float


def roll_up(*, since: datetime | None = None) -> Counted:
    """Counts what was shown and said since the last time; late feedback on the day of its list.

    Some units at a time, each time in a transaction: one that is cut off is made up for by the next. With
    ``since`` all lists from then on are looked at again, for a clock that goes behind what was counted.
    """
    started, now = time.perf_counter(), clock.now()
    state, _ = Rollup.objects.get_or_create(pk=Rollup.SINGLETON)
    feedback_id = _settled_feedback(state.feedback_id, before=now - OVERLAP)
    if state.until is None:
        recent, touched = {}, whole_log(most=_most())
    else:
        # Of whole minutes, so that the first of them has been counted as a whole.
        recent = lists_by_minute((state.until - OVERLAP).replace(second=0, microsecond=0))
        first = first_change(state.recent, recent) if since is None else since
        touched = touched_since(first, state.feedback_id, most=_most())
    unit_days = sum(map(_count, touched))
    seconds = time.perf_counter() - started
    until = max(state.until or now, now)
    Rollup.objects.filter(pk=Rollup.SINGLETON).update(
        until=until, feedback_id=feedback_id, recent=recent, ran_at=now, seconds=seconds
    )
    return Counted(unit_days, seconds)


def rebuild() -> Counted:
    """Counts the whole log anew, and makes the snapshots from what units came to.

    Units that the log does not know any more, erased or pruned, stay as they were counted.
    """
    started = time.perf_counter()
    Rollup.objects.get_or_create(pk=Rollup.SINGLETON)
    unit_days = sum(map(_count, whole_log(most=_most())))
    _remake_snapshots()
    return Counted(unit_days, time.perf_counter() - started)


@transaction.atomic
def rekey(unit_key: UUID, to: UUID) -> None:
    """Gives what a unit came to a key that nobody else has: for an erasure."""
    # Whoever counts meanwhile would bring back what it has read of the unit.
    Rollup.objects.select_for_update().filter(pk=Rollup.SINGLETON).first()
    for rows in (UnitDay.objects, UnitTotal.objects):
        rows.filter(unit_key=unit_key).update(unit_key=to)


def _settled_feedback(known: int, *, before: datetime) -> int:
    """The last feedback before which none can come in any more."""
    found = Feedback.objects.filter(id__gt=known, received_at__lt=before).aggregate(last=Max("id"))["last"]
    return found or known


def _most() -> int:
    return UNITS_AT_ONCE[connection.vendor]


@transaction.atomic
def _count(touched: Touched) -> int:
    """Sets the sums of these days to what the log says, and moves the snapshots by as much; how many days."""
    # Whoever counts at the same time waits, and then sees what this one wrote.
    Rollup.objects.select_for_update().get(pk=Rollup.SINGLETON)
    counted = days_of(touched)
    changed = _changed(counted, kept_days(touched, days=touched.all_days))
    if changed:
        _write(changed, replace(touched, units=sorted({part.unit_key for part in changed})))
    return sum(map(len, counted.values()))


def _write(changed: Mapping[Part, Mapping[date, Day]], touched: Touched) -> None:
    held, exposures = kept_days(touched), kept_exposures(touched)
    before = [unit_of(part, exposures[part], held[part]) for part in changed if part in exposures]
    gains = _latency_gains(changed, held)
    exposures |= _exposed(changed, known=exposures.keys())
    for part, days in changed.items():
        held[part] |= {date_: KeptDay(day.sums, day.latency) for date_, day in days.items()}
    after = {part: unit_of(part, exposures[part], held[part]) for part in changed}
    write_days(changed)
    write_totals(after, exposures)
    add_to_snapshots(changes(before, list(after.values())))
    add_to_latencies(gains)


def _changed(counted: Mapping[Part, Mapping[date, Day]], held: KeptDays) -> dict[Part, dict[date, Day]]:
    """Days that are not held as the log has them: with the overlap most are."""
    found: dict[Part, dict[date, Day]] = {}
    for part, days in counted.items():
        known = held.get(part, {})
        for date_, day in days.items():
            if known.get(date_) != (day.sums, day.latency):
                found.setdefault(part, {})[date_] = day
    return found


def _exposed(changed: Mapping[Part, Mapping[date, Day]], *, known: Collection[Part]) -> dict[Part, Exposure]:
    """Of units that are counted for the first time."""
    new = {part: min(days.values(), key=_first_at) for part, days in changed.items() if part not in known}
    found = {}
    # Of a unit that two phases or layers met in this run, each has its own moment.
    for moments in _one_moment_each(new):
        done = before_exposure({part.unit_key: day.first_at for part, day in moments})
        for part, day in moments:
            found[part] = Exposure(day.variant, day.segment, day.first_at, done[part.unit_key])
    return found


def _first_at(day: Day) -> datetime:
    return day.first_at


def _one_moment_each(new: Mapping[Part, Day]) -> Iterable[list[tuple[Part, Day]]]:
    by_unit: dict[UUID, list[tuple[Part, Day]]] = defaultdict(list)
    for part, day in new.items():
        by_unit[part.unit_key].append((part, day))
    for number in range(max(map(len, by_unit.values()), default=0)):
        yield [found[number] for found in by_unit.values() if number < len(found)]


def _latency_gains(
    changed: Mapping[Part, Mapping[date, Day]], held: KeptDays
) -> dict[tuple[str, int, str, date], dict[str, int]]:
    gains: dict[tuple[str, int, str, date], dict[str, int]] = defaultdict(dict)
    for part, days in changed.items():
        for date_, day in days.items():
            before = held[part].get(date_)
            into = gains[part.experiment, part.phase, day.variant, date_]
            latency_changes(before.latency if before else {}, day.latency, into)
    return gains


@transaction.atomic
def _remake_snapshots() -> None:
    """All of them from the days of units, erased ones too."""
    Rollup.objects.select_for_update().get(pk=Rollup.SINGLETON)
    Snapshot.objects.all().delete()
    LatencyDay.objects.all().delete()
    summed: dict[Spot, Float64] = {}
    gains: dict[tuple[str, int, str, date], dict[str, int]] = defaultdict(dict)
    units = UnitTotal.objects.order_by("unit_key").values_list("unit_key", flat=True).distinct()
    for keys in in_parts(units.iterator(chunk_size=4000), 4000):
        some = Touched(keys, None)
        held, exposures = kept_days(some), kept_exposures(some)
        found = contributions_of([unit_of(part, one, held[part]) for part, one in exposures.items()])
        for spot, parts in found.items():
            summed[spot] = summed.get(spot, 0.0) + parts
        for part, exposure in exposures.items():
            for day, kept in held[part].items():
                latency_changes({}, kept.latency, gains[part.experiment, part.phase, exposure.variant, day])
    add_to_snapshots(summed)
    add_to_latencies(gains)
