"""Counting the log into the sums that results are read from. Safe to run twice, and at once."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Max

from apps.algorithms.types import Float64
from apps.core import clock
from apps.events.models import Feedback
from apps.experiments.contributions import (
    PARTS,
    SUMMED,
    Group,
    Spot,
    Unit,
    changes,
    contributions_of,
    latency_changes,
)
from apps.experiments.counting import (
    Day,
    Part,
    UnitDate,
    before_exposure,
    day_of,
    days_of,
    in_parts,
    touched_since,
)
from apps.experiments.metrics import SUMS
from apps.experiments.models import LatencyDay, Rollup, Snapshot, UnitDay, UnitTotal

OVERLAP = timedelta(minutes=5)
"""How long a transaction that writes to the log may take: what it holds is looked for again."""
UNITS_AT_ONCE = 200
_BATCH = 500


@dataclass(frozen=True)
class Counted:
    """How many days of units were counted, and how long it took."""

    unit_days: int
    seconds: float


def roll_up() -> Counted:
    """Counts what was shown and said since the last time; late feedback on the day of its list.

    Some units at a time, each time in a transaction: one that is cut off is made up for by the next.
    """
    started, now = time.perf_counter(), clock.now()
    state, _ = Rollup.objects.get_or_create(pk=Rollup.SINGLETON)
    since = None if state.until is None else state.until - OVERLAP
    feedback_id = _settled_feedback(state.feedback_id, before=now - OVERLAP)
    touched = touched_since(since, state.feedback_id)
    for some in _by_unit(touched):
        _count(some)
    seconds = time.perf_counter() - started
    Rollup.objects.filter(pk=Rollup.SINGLETON).update(
        until=now, feedback_id=feedback_id, ran_at=now, seconds=seconds
    )
    return Counted(len(touched), seconds)


def rebuild() -> Counted:
    """Counts the whole log anew, and makes the snapshots from what units came to.

    Units that the log does not know any more, erased or pruned, stay as they were counted.
    """
    started = time.perf_counter()
    touched = touched_since(None, 0)
    for some in _by_unit(touched):
        _count(some)
    _remake_snapshots()
    return Counted(len(touched), time.perf_counter() - started)


def rekey(unit_key: UUID, to: UUID) -> None:
    """Gives what a unit came to a key that nobody else has: for an erasure."""
    for rows in (UnitDay.objects, UnitTotal.objects):
        rows.filter(unit_key=unit_key).update(unit_key=to)


def _settled_feedback(known: int, *, before: datetime) -> int:
    """The last feedback before which none can come in any more."""
    found = Feedback.objects.filter(id__gt=known, received_at__lt=before).aggregate(last=Max("id"))["last"]
    return found or known


def _by_unit(touched: Collection[UnitDate]) -> Iterable[set[UnitDate]]:
    by_unit: dict[UUID, set[UnitDate]] = defaultdict(set)
    for one in touched:
        by_unit[one.unit_key].add(one)
    for units in in_parts(sorted(by_unit), UNITS_AT_ONCE):
        yield set().union(*(by_unit[unit] for unit in units))


@transaction.atomic
def _count(touched: Collection[UnitDate]) -> None:
    """Sets the sums of these units and days to what the log says, and moves the snapshots by as much."""
    # Whoever counts at the same time waits, and then sees what this one wrote.
    Rollup.objects.select_for_update().get(pk=Rollup.SINGLETON)
    counted = days_of(touched)
    keys = {one.unit_key for one in touched}
    totals = {_part(row): row for row in UnitTotal.objects.filter(unit_key__in=keys)}
    held: dict[Part, dict[date, UnitDay]] = defaultdict(dict)
    for row in UnitDay.objects.filter(unit_key__in=keys).order_by("day"):
        held[_part(row)][row.day] = row
    before = [_unit(totals[part], held[part].values()) for part in counted if part in totals]
    _expose(counted, totals)
    latencies = _write_days(counted, held)
    after = [_unit(totals[part], _in_order(held[part])) for part in counted]
    for part in counted:
        _add_up(totals[part], held[part].values())
    _save(UnitTotal, [totals[part] for part in counted], ("unit_key", "experiment", "phase"), SUMS)
    _move_snapshots(changes(before, after))
    _move_latencies(latencies)


def _part(row: UnitDay | UnitTotal) -> Part:
    return Part(row.experiment_id, row.phase, row.unit_key)


def _in_order(days: Mapping[date, UnitDay]) -> list[UnitDay]:
    return [days[day] for day in sorted(days)]


def _sums(row: UnitDay | UnitTotal) -> list[float]:
    return [getattr(row, name) for name in SUMS]


def _unit(total: UnitTotal, days: Iterable[UnitDay]) -> Unit:
    rows = list(days)
    return Unit(
        Group(total.experiment_id, total.phase, total.variant, total.segment),
        day_of(total.exposed_at),
        [row.day for row in rows],
        np.array([_sums(row) for row in rows], dtype=np.float64).reshape(len(rows), len(SUMS)),
        np.array([total.pre_lists, total.pre_clicks, total.pre_rated], dtype=np.float64),
    )


def _expose(counted: Mapping[Part, Mapping[date, Day]], totals: dict[Part, UnitTotal]) -> None:
    """Makes the rows of units that are counted for the first time; what is in them stands fast."""
    new = {part: min(days.values(), key=lambda day: day.first_at) for part, days in counted.items()}
    new = {part: day for part, day in new.items() if part not in totals}
    # Of a unit that two phases or layers met in this run, each has its own moment.
    for moments in _one_moment_each(new):
        done = before_exposure({part.unit_key: day.first_at for part, day in moments})
        for part, day in moments:
            lists, clicks, rated = done[part.unit_key]
            totals[part] = UnitTotal(
                experiment_id=part.experiment,
                phase=part.phase,
                variant=day.variant,
                unit_key=part.unit_key,
                segment=day.segment,
                exposed_at=day.first_at,
                pre_lists=lists,
                pre_clicks=clicks,
                pre_rated=rated,
            )


def _one_moment_each(new: Mapping[Part, Day]) -> Iterable[list[tuple[Part, Day]]]:
    by_unit: dict[UUID, list[tuple[Part, Day]]] = defaultdict(list)
    for part, day in new.items():
        by_unit[part.unit_key].append((part, day))
    for number in range(max(map(len, by_unit.values()), default=0)):
        yield [found[number] for found in by_unit.values() if number < len(found)]


def _write_days(
    counted: Mapping[Part, Mapping[date, Day]], held: Mapping[Part, dict[date, UnitDay]]
) -> dict[tuple[str, int, str, date], dict[str, int]]:
    """Stores the days, and returns what the histograms of their variants gain."""
    rows: list[UnitDay] = []
    gains: dict[tuple[str, int, str, date], dict[str, int]] = defaultdict(dict)
    for part, days in counted.items():
        for date_, day in days.items():
            row = held[part].get(date_)
            latency_changes(
                row.latency if row else {},
                day.latency,
                gains[part.experiment, part.phase, day.variant, date_],
            )
            held[part][date_] = UnitDay(
                experiment_id=part.experiment,
                phase=part.phase,
                variant=day.variant,
                unit_key=part.unit_key,
                day=date_,
                latency=day.latency,
                **dict(zip(SUMS, day.sums.tolist(), strict=True)),
            )
            rows.append(held[part][date_])
    _save(UnitDay, rows, ("unit_key", "experiment", "phase", "day"), (*SUMS, "latency"))
    return gains


def _add_up(total: UnitTotal, days: Iterable[UnitDay]) -> None:
    summed: Float64 = np.sum([_sums(row) for row in days], axis=0)
    for name, value in zip(SUMS, summed.tolist(), strict=True):
        setattr(total, name, value)


def _save(model: Any, rows: Sequence[Any], unique: Sequence[str], updated: Sequence[str]) -> None:
    model.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=list(unique),
        update_fields=list(updated),
        batch_size=_BATCH,
    )


_SPOT = ("experiment", "phase", "axis", "metric", "variant", "segment", "step")


def _move_snapshots(moved: Mapping[Spot, Float64]) -> None:
    """Adds to the rows; under the lock of whoever counts, so that none is read and written at once."""
    if not moved:
        return
    held = _snapshots_at(moved)
    rows = []
    for spot, parts in moved.items():
        for metric, added in zip(SUMMED, parts, strict=True):
            key = (*spot.group, spot.axis, spot.step, metric.name)
            values = held.get(key, np.zeros(len(PARTS))) + added
            rows.append(_snapshot(spot, metric.name, values))
    _save(Snapshot, rows, _SPOT, PARTS)


def _snapshots_at(spots: Iterable[Spot]) -> dict[tuple[Any, ...], Float64]:
    steps: dict[tuple[str, int, str], set[int]] = defaultdict(set)
    for spot in spots:
        steps[spot.group.experiment, spot.group.phase, spot.axis].add(spot.step)
    found: dict[tuple[Any, ...], Float64] = {}
    names = ("experiment_id", "phase", "variant", "segment", "axis", "step", "metric")
    for (experiment, phase, axis), numbers in steps.items():
        rows = Snapshot.objects.filter(experiment_id=experiment, phase=phase, axis=axis, step__in=numbers)
        for row in rows.values_list(*names, *PARTS):
            found[row[: len(names)]] = np.array(row[len(names) :])
    return found


def _snapshot(spot: Spot, metric: str, values: Float64) -> Snapshot:
    experiment, phase, variant, segment = spot.group
    return Snapshot(
        experiment_id=experiment,
        phase=phase,
        variant=variant,
        segment=segment,
        axis=spot.axis,
        step=spot.step,
        metric=metric,
        **dict(zip(PARTS, values.tolist(), strict=True)),
    )


def _move_latencies(gains: Mapping[tuple[str, int, str, date], Mapping[str, int]]) -> None:
    rows = []
    for (experiment, phase, variant, day), gained in gains.items():
        if any(gained.values()):
            key = {"experiment_id": experiment, "phase": phase, "variant": variant, "day": day}
            row = LatencyDay.objects.filter(**key).first() or LatencyDay(**key)
            latency_changes({}, gained, row.counts)
            row.counts = {bucket: count for bucket, count in row.counts.items() if count}
            rows.append(row)
    _save(LatencyDay, rows, ("experiment", "phase", "variant", "day"), ("counts",))


@transaction.atomic
def _remake_snapshots() -> None:
    """All of them from the days of units, erased ones too."""
    Rollup.objects.select_for_update().get_or_create(pk=Rollup.SINGLETON)
    Snapshot.objects.all().delete()
    LatencyDay.objects.all().delete()
    summed: dict[Spot, Float64] = {}
    gains: dict[tuple[str, int, str, date], dict[str, int]] = defaultdict(dict)
    totals = UnitTotal.objects.order_by("unit_key")
    for some in in_parts(totals.iterator(chunk_size=2000), 2000):
        held: dict[Part, dict[date, UnitDay]] = defaultdict(dict)
        for row in UnitDay.objects.filter(unit_key__in={total.unit_key for total in some}):
            held[_part(row)][row.day] = row
        for spot, parts in contributions_of(
            [_unit(one, _in_order(held[_part(one)])) for one in some]
        ).items():
            summed[spot] = summed.get(spot, 0.0) + parts
        for part in map(_part, some):
            for day, row in held[part].items():
                latency_changes({}, row.latency, gains[row.experiment_id, row.phase, row.variant, day])
    _move_snapshots(summed)
    _move_latencies(gains)
