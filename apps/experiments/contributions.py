"""What units add to the snapshots: pure sums, no database.

A snapshot's sums over units are kept up by differences. When a unit's total goes from ``a`` to ``b``, the
sum of squares goes up by ``b² − a²``, and that of products likewise; so a day's row holds what that day
added, and the rows up to a day add up to the sums at its end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from apps.algorithms.types import Bool, Float64, Int64
from apps.experiments.metrics import METRICS, SUMS, Metric

PARTS = (
    "n",
    "top",
    "top_squares",
    "bottom",
    "bottom_squares",
    "products",
    "pre",
    "pre_squares",
    "pre_products",
)
"""The columns of a snapshot, in the order of ``contributions_of``."""
SUMMED = tuple(metric for metric in METRICS.values() if metric.shape != "latency")
_STEPS = date.max.toordinal() + 1
_PRE = {"lists": 0, "clicks": 1, "rated": 2}
_SPOTS = {name: spot for spot, name in enumerate(SUMS)}


class Group(NamedTuple):
    """What a snapshot's rows are kept apart by."""

    experiment: str
    phase: int
    variant: str
    segment: str


class Spot(NamedTuple):
    """One step of one axis of a group; ``step`` as in ``Snapshot``."""

    group: Group
    axis: str
    step: int


@dataclass(frozen=True)
class Unit:
    """One unit of a phase: its sums by day in order of the days, ``(n_days, len(SUMS))``, and what it did
    before it was exposed, ``(3,)``: lists, clicks, ratings.
    """

    group: Group
    exposed: date
    days: Sequence[date]
    sums: Float64
    before: Float64


def contributions_of(units: Sequence[Unit]) -> dict[Spot, Float64]:
    """What the units add at each spot, ``(len(SUMMED), len(PARTS))``."""
    units = [unit for unit in units if len(unit.days)]
    if not units:
        return {}
    counts = np.array([len(unit.days) for unit in units])
    daily = np.concatenate([unit.sums for unit in units])
    before = np.repeat(np.stack([unit.before for unit in units]), counts, axis=0)
    is_first = np.zeros(len(daily), dtype=np.bool_)
    is_first[np.concatenate([[0], counts.cumsum()[:-1]])] = True
    numbers = {group: number for number, group in enumerate(dict.fromkeys(unit.group for unit in units))}
    owners = np.repeat([numbers[unit.group] for unit in units], counts)
    days = np.array([day.toordinal() for unit in units for day in unit.days])
    ages = np.maximum(days - np.repeat([unit.exposed.toordinal() for unit in units], counts), 0)
    along_days = _differences(_parts(_running(daily, counts), before), is_first)
    along_ages = _parts(daily, np.zeros_like(before))
    groups = list(numbers)
    return {
        **_summed(along_days, axis="day", groups=groups, owners=owners, steps=days),
        **_summed(along_ages, axis="age", groups=groups, owners=owners, steps=ages),
    }


def changes(before: Sequence[Unit], after: Sequence[Unit]) -> dict[Spot, Float64]:
    """What the snapshots change by where the units were counted as ``before``, and are ``after``."""
    found = contributions_of(after)
    for spot, parts in contributions_of(before).items():
        found[spot] = found.get(spot, 0.0) - parts
    return {spot: parts for spot, parts in found.items() if np.any(parts)}


def _summed(
    parts: Float64, *, axis: str, groups: Sequence[Group], owners: Int64, steps: Int64
) -> dict[Spot, Float64]:
    """The rows of ``parts`` summed by step and group; ``owners`` are places in ``groups``."""
    keys, rows = np.unique(owners * _STEPS + steps, return_inverse=True)
    order = np.argsort(rows, kind="stable")
    sums = np.add.reduceat(parts[order], np.searchsorted(rows[order], np.arange(len(keys))))
    spots = [Spot(groups[key // _STEPS], axis, key % _STEPS) for key in keys.tolist()]
    return dict(zip(spots, sums, strict=True))


def _running(daily: Float64, counts: Int64) -> Float64:
    """Totals up to each day within a unit; ``counts`` are days by unit."""
    totals = daily.cumsum(axis=0)
    starts = np.concatenate([[0], counts.cumsum()[:-1]])
    earlier = np.where((starts > 0)[:, None], totals[starts - 1], 0.0)
    return np.asarray(totals - np.repeat(earlier, counts, axis=0), dtype=np.float64)


def _parts(totals: Float64, before: Float64) -> Float64:
    """``PARTS`` of each metric for rows of sums, ``(n, len(SUMMED), len(PARTS))``."""
    return np.stack([_parts_of(metric, totals, before) for metric in SUMMED], axis=1)


def _parts_of(metric: Metric, totals: Float64, before: Float64) -> Float64:
    top = totals[:, _SPOTS[metric.over]]
    pre = before[:, _PRE[metric.over]] if metric.shape == "mean" else np.zeros(len(top))
    if metric.shape == "binary":
        top = (top > 0).astype(np.float64)
    bottom = totals[:, _SPOTS[metric.under]] if metric.under else np.ones(len(top))
    return np.stack(
        [np.ones(len(top)), top, top**2, bottom, bottom**2, top * bottom, pre, pre**2, pre * top], axis=1
    )


def _differences(parts: Float64, is_first: Bool) -> Float64:
    """Each row less the one before of the same unit."""
    earlier = np.concatenate([np.zeros_like(parts[:1]), parts[:-1]])
    earlier[is_first] = 0.0
    return np.asarray(parts - earlier, dtype=np.float64)


def latency_changes(before: Mapping[str, int], after: Mapping[str, int], into: dict[str, int]) -> None:
    """Adds what a sparse histogram gained, or lost, to another."""
    for bucket in before.keys() | after.keys():
        into[bucket] = into.get(bucket, 0) + after.get(bucket, 0) - before.get(bucket, 0)
