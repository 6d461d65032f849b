"""What is kept of units, and the sums over them: read and written some units at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from apps.algorithms.types import Float64
from apps.experiments.contributions import PARTS, SUMMED, Group, Spot, Unit, latency_changes
from apps.experiments.counting import Before, Day, Part, Touched, day_of
from apps.experiments.metrics import SUMS
from apps.experiments.models import LatencyDay, Snapshot, UnitDay, UnitTotal
from apps.experiments.services.upserts import Upsert

Gains = Mapping[tuple[str, int, str, date], Mapping[str, int]]
"""What the histograms of variants gain, by experiment, phase, variant and day."""
_PART = ("experiment_id", "phase", "unit_key")
_PRE = ("pre_lists", "pre_clicks", "pre_rated")


class Exposure(NamedTuple):
    """What stood fast of a unit when it was first exposed."""

    variant: str
    segment: str
    at: datetime
    before: Before


class KeptDay(NamedTuple):
    """One day of a unit as it was counted."""

    sums: tuple[float, ...]
    latency: dict[str, int]


KeptDays = Mapping[Part, Mapping[date, KeptDay]]


def kept_exposures(touched: Touched) -> dict[Part, Exposure]:
    """One query."""
    rows = UnitTotal.objects.filter(touched.condition())
    found = {}
    for row in rows.values_list(*_PART, "variant", "segment", "exposed_at", *_PRE):
        variant, segment, at = row[3:6]
        found[Part(*row[:3])] = Exposure(variant, segment, at, Before(*row[6:]))
    return found


def kept_days(touched: Touched, *, days: Collection[date] = ()) -> defaultdict[Part, dict[date, KeptDay]]:
    """All days of these units, or of ``days`` alone. One query."""
    found: defaultdict[Part, dict[date, KeptDay]] = defaultdict(dict)
    rows = UnitDay.objects.filter(touched.condition())
    if days:
        rows = rows.filter(day__in=days)
    for row in rows.values_list(*_PART, "day", "latency", *SUMS):
        found[Part(*row[:3])][row[3]] = KeptDay(row[5:], row[4])
    return found


def unit_of(part: Part, exposure: Exposure, days: Mapping[date, KeptDay]) -> Unit:
    return Unit(
        Group(part.experiment, part.phase, exposure.variant, exposure.segment),
        day_of(exposure.at),
        sorted(days),
        np.array([days[day].sums for day in sorted(days)], dtype=np.float64).reshape(len(days), len(SUMS)),
        np.array(exposure.before),
    )


def write_days(changed: Mapping[Part, Mapping[date, Day]]) -> None:
    _DAYS.write(
        [
            (*part, date_, day.variant, day.latency, *day.sums)
            for part, days in changed.items()
            for date_, day in days.items()
        ]
    )


def write_totals(units: Mapping[Part, Unit], exposures: Mapping[Part, Exposure]) -> None:
    """Sums over the days of each; what stands fast is written of those that are new."""
    rows = []
    for part, unit in units.items():
        variant, segment, at, before = exposures[part]
        rows.append((*part, variant, segment, at, *before, *unit.sums.sum(axis=0).tolist()))
    _TOTALS.write(rows)


def add_to_snapshots(moved: Mapping[Spot, Float64]) -> None:
    """Only where something changes: most feedback moves a few metrics."""
    _SNAPSHOTS.write(
        [
            (*spot.group, spot.axis, spot.step, metric.name, *added)
            for spot, parts in moved.items()
            for metric, added in zip(SUMMED, parts.tolist(), strict=True)
            if any(added)
        ]
    )


def add_to_latencies(gains: Gains) -> None:
    """One query and a statement; under the lock of whoever counts, so that none is lost in between."""
    gains = {key: gained for key, gained in gains.items() if any(gained.values())}
    if not gains:
        return
    held: dict[tuple[str, int, str, date], dict[str, int]] = {}
    rows = LatencyDay.objects.filter(
        experiment_id__in={key for key, *_ in gains}, day__in={day for *_, day in gains}
    )
    for experiment, phase, variant, day, counts in rows.values_list(
        "experiment_id", "phase", "variant", "day", "counts"
    ):
        held[experiment, phase, variant, day] = counts
    written: list[Sequence[object]] = []
    for key, gained in gains.items():
        sums = held.get(key, {})
        latency_changes({}, gained, sums)
        written.append((*key, {bucket: count for bucket, count in sums.items() if count}))
    _LATENCIES.write(written)


_DAYS = Upsert(
    UnitDay,
    (*_PART, "day", "variant", "latency", *SUMS),
    unique=("unit_key", "experiment_id", "phase", "day"),
    updated=("latency", *SUMS),
)
_TOTALS = Upsert(
    UnitTotal,
    (*_PART, "variant", "segment", "exposed_at", *_PRE, *SUMS),
    unique=("unit_key", "experiment_id", "phase"),
    updated=SUMS,
)
_SPOT = ("experiment_id", "phase", "variant", "segment", "axis", "step", "metric")
_SNAPSHOTS = Upsert(Snapshot, (*_SPOT, *PARTS), unique=_SPOT, updated=PARTS, adds=True)
_LATENCY = ("experiment_id", "phase", "variant", "day")
_LATENCIES = Upsert(LatencyDay, (*_LATENCY, "counts"), unique=_LATENCY, updated=("counts",))
