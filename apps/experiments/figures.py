"""What a phase has counted, as a value that says all that is decided from: sums over units, and nobody's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from django.db.models import Q, Sum

from apps.algorithms.types import Float64
from apps.experiments.contributions import PARTS
from apps.experiments.counting import day_of
from apps.experiments.models import LatencyDay, Phase, Snapshot
from apps.experiments.plans import Plan

Parts = tuple[float, ...]
"""``PARTS`` of one metric of one variant, summed over its units."""
NOTHING: Parts = (0.0,) * len(PARTS)


@dataclass(frozen=True)
class Figures:
    """All of one phase up to a moment.

    metrics
        By metric, then variant.
    looks
        The goals at the end of each full UTC day since the phase began, its first one too, up to the horizon;
        by metric, then variant. What a test that was planned for a horizon looks at.
    latencies
        Sparse histograms by variant.
    days
        Since the phase began, in days.
    planned_units
        How many units all variants together were planned to have; None where nothing was known to plan by.
    """

    metrics: Mapping[str, Mapping[str, Parts]]
    looks: tuple[Mapping[str, Mapping[str, Parts]], ...]
    latencies: Mapping[str, Mapping[str, int]]
    days: float
    planned_units: float | None

    def units(self, plan: Plan) -> dict[str, float]:
        """By variant, those without a unit too."""
        return units_in(self.metrics, plan)

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = asdict(self)
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Figures":
        """Of what ``as_json`` gave, after any database: one may give whole numbers back for fractions."""
        planned = stored["planned_units"]
        return cls(
            metrics=_parts_in(stored["metrics"]),
            looks=tuple(_parts_in(look) for look in stored["looks"]),
            latencies=stored["latencies"],
            days=float(stored["days"]),
            planned_units=None if planned is None else float(planned),
        )


def _parts_in(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Parts]]:
    return {
        metric: {variant: tuple(map(float, parts)) for variant, parts in of.items()}
        for metric, of in stored.items()
    }


def parts_in(metrics: Mapping[str, Mapping[str, Parts]], metric: str, variant: str) -> Parts:
    return metrics.get(metric, {}).get(variant, NOTHING)


def units_in(metrics: Mapping[str, Mapping[str, Parts]], plan: Plan) -> dict[str, float]:
    """By variant. Each metric counts every unit, but one that is newer than the phase."""
    held = metrics.values()
    return {name: max((of[name][0] for of in held if name in of), default=0.0) for name in plan.weights}


def lists_in(metrics: Mapping[str, Mapping[str, Parts]], plan: Plan) -> dict[str, float]:
    """Counted lists by variant."""
    return {name: parts_in(metrics, "lists_per_unit", name)[1] for name in plan.weights}


def figures_of(phase: Phase, plan: Plan, *, now: datetime) -> Figures:
    """What was counted up to now. Three queries, whatever the number of units."""
    (found,) = figures_of_each([(phase, plan)], now=now)
    return found


def figures_of_each(phases: Sequence[tuple[Phase, Plan]], *, now: datetime) -> list[Figures]:
    """In the order of ``phases``. Three queries, whatever their number and that of the units."""
    if not phases:
        return []
    alone = [phase for phase, _ in phases]
    metrics, latencies, added = _metrics(alone), _latencies(alone), _added(phases)
    found = []
    for phase, plan in phases:
        end, spot = min(now, phase.ended_at or now), _spot(phase)
        found.append(
            Figures(
                metrics=metrics[spot],
                looks=_looks(phase, plan, end, added[spot]),
                latencies=latencies[spot],
                days=(end - phase.started_at) / timedelta(days=1),
                planned_units=plan.planned_units,
            )
        )
    return found


def by_segment(phase: Phase) -> Mapping[str, Mapping[str, Mapping[str, Parts]]]:
    """By segment, metric and variant. One query."""
    found: dict[str, dict[str, dict[str, Parts]]] = defaultdict(lambda: defaultdict(dict))
    rows = _rows(_of(phase)).values("segment", "metric", "variant").annotate(**_SUMMED)
    for segment, metric, variant, *parts in rows.values_list("segment", "metric", "variant", *_SUMMED):
        found[segment][metric][variant] = tuple(parts)
    return found


def by_age(phase: Phase, metric: str) -> Mapping[int, Mapping[str, Parts]]:
    """By days since exposure and variant, what that day alone brought. One query."""
    found: dict[int, dict[str, Parts]] = defaultdict(dict)
    rows = _rows(_of(phase), axis=Snapshot.Axis.AGE).filter(metric=metric)
    rows = rows.values("step", "variant").annotate(**_SUMMED).order_by("step")
    for step, variant, *parts in rows.values_list("step", "variant", *_SUMMED):
        found[step][variant] = tuple(parts)
    return found


def by_day(phase: Phase, metric: str) -> Mapping[int, Mapping[str, Parts]]:
    """At the end of each UTC day with any change, by its ordinal and variant. One query."""
    found: dict[int, dict[str, Parts]] = {}
    running: dict[str, Float64] = {}
    rows = _rows(_of(phase)).filter(metric=metric).values("step", "variant").annotate(**_SUMMED)
    for step, variant, *parts in rows.order_by("step").values_list("step", "variant", *_SUMMED):
        running[variant] = running.get(variant, np.zeros(len(PARTS))) + np.array(parts)
        found[step] = {name: tuple(sums.tolist()) for name, sums in running.items()}
    return found


_SUMMED: Mapping[str, Any] = {f"all_{part}": Sum(part) for part in PARTS}
Spot = tuple[str, int]
"""Of a phase: its experiment's key, and its number."""
_SPOT = ("experiment_id", "phase")
Added = tuple[int, str, str, Parts]
"""What a day, by its ordinal, added to a metric of a variant."""


def _spot(phase: Phase) -> Spot:
    return phase.experiment_id, phase.number


def _of(*phases: Phase) -> Q:
    return reduce(or_, (Q(experiment_id=phase.experiment_id, phase=phase.number) for phase in phases))


def _rows(which: Q, *, axis: str = Snapshot.Axis.DAY) -> Any:
    return Snapshot.objects.filter(which, axis=axis).order_by()


def _metrics(phases: Sequence[Phase]) -> Mapping[Spot, dict[str, dict[str, Parts]]]:
    found: dict[Spot, dict[str, dict[str, Parts]]] = defaultdict(dict)
    rows = _rows(_of(*phases)).values(*_SPOT, "metric", "variant").annotate(**_SUMMED)
    for key, number, metric, variant, *parts in rows.values_list(*_SPOT, "metric", "variant", *_SUMMED):
        found[key, number].setdefault(metric, {})[variant] = tuple(parts)
    return found


def _added(phases: Sequence[tuple[Phase, Plan]]) -> Mapping[Spot, list[Added]]:
    """What each day added to the goals of each phase, in order of the days."""
    which = reduce(or_, (_of(phase) & Q(metric__in=plan.goals) for phase, plan in phases))
    rows = _rows(which).values(*_SPOT, "metric", "variant", "step").annotate(**_SUMMED).order_by("step")
    found: dict[Spot, list[Added]] = defaultdict(list)
    names = (*_SPOT, "step", "metric", "variant", *_SUMMED)
    for key, number, step, metric, variant, *parts in rows.values_list(*names):
        found[key, number].append((step, metric, variant, tuple(parts)))
    return found


def _looks(
    phase: Phase, plan: Plan, end: datetime, added: Sequence[Added]
) -> tuple[dict[str, dict[str, Parts]], ...]:
    """Of full days only: a look more would have to be paid for."""
    first = day_of(phase.started_at).toordinal()
    n_days = min(max(day_of(end).toordinal() - first, 0), plan.horizon_days)
    of_days: dict[int, list[tuple[str, str, Parts]]] = defaultdict(list)
    for step, metric, variant, parts in added:
        # A list of just before the phase began, by the clock of another machine, is of its first day.
        of_days[max(step - first, 0)].append((metric, variant, parts))
    running: dict[str, dict[str, Parts]] = {}
    looks = []
    for day in range(n_days):
        for metric, variant, parts in of_days[day]:
            of = running.setdefault(metric, {})
            of[variant] = tuple(map(sum, zip(of.get(variant, NOTHING), parts, strict=True)))
        looks.append({metric: dict(of) for metric, of in running.items()})
    return tuple(looks)


def _latencies(phases: Sequence[Phase]) -> Mapping[Spot, dict[str, dict[str, int]]]:
    found: dict[Spot, dict[str, dict[str, int]]] = defaultdict(dict)
    rows = LatencyDay.objects.filter(_of(*phases))
    for key, number, variant, counts in rows.values_list(*_SPOT, "variant", "counts"):
        sums = found[key, number].setdefault(variant, {})
        for bucket, count in counts.items():
            sums[bucket] = sums.get(bucket, 0) + count
    return found
