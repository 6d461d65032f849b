"""What a phase has counted, as a value that says all that is decided from: sums over units, and nobody's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
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


@dataclass(frozen=True)
class Figures:
    """All of one phase up to a moment.

    metrics
        By metric, then variant.
    looks
        The first goal at the end of each full UTC day since the phase began, by variant: what a test that was
        planned for a horizon looks at. ``look_days`` are these days, as ordinals.
    latencies
        Sparse histograms by variant.
    days
        Since the phase began, in days.
    planned_units
        How many units all variants together were planned to have; None where nothing was known to plan by.
    """

    metrics: Mapping[str, Mapping[str, Parts]]
    looks: tuple[Mapping[str, Parts], ...]
    look_days: tuple[int, ...]
    latencies: Mapping[str, Mapping[str, int]]
    days: float
    planned_units: float | None

    def units(self, plan: Plan) -> dict[str, float]:
        """By variant, those without a unit too."""
        return {name: self.parts(plan.goals[0], name)[0] for name in plan.weights}

    def parts(self, metric: str, variant: str) -> Parts:
        return self.metrics.get(metric, {}).get(variant, (0.0,) * len(PARTS))

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = asdict(self)
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Figures":
        return cls(
            metrics={
                metric: {variant: tuple(parts) for variant, parts in of.items()}
                for metric, of in stored["metrics"].items()
            },
            looks=tuple(
                {variant: tuple(parts) for variant, parts in look.items()} for look in stored["looks"]
            ),
            look_days=tuple(stored["look_days"]),
            latencies=stored["latencies"],
            days=stored["days"],
            planned_units=stored["planned_units"],
        )


def figures_of(phase: Phase, plan: Plan, *, now: datetime) -> Figures:
    """What was counted up to now. Three queries, whatever the number of units."""
    (found,) = figures_of_each([(phase, plan)], now=now)
    return found


def figures_of_each(phases: Sequence[tuple[Phase, Plan]], *, now: datetime) -> list[Figures]:
    """In the order of ``phases``. Three queries, whatever their number and that of the units."""
    if not phases:
        return []
    metrics = _metrics([phase for phase, _ in phases])
    held = _by_day([(phase, plan.goals[0]) for phase, plan in phases])
    latencies = _latencies([phase for phase, _ in phases])
    found = []
    for phase, plan in phases:
        end = min(now, phase.ended_at or now)
        looks = _looks(held[_spot(phase)], end)
        found.append(
            Figures(
                metrics=metrics[_spot(phase)],
                looks=tuple(looks.values()),
                look_days=tuple(looks),
                latencies=latencies[_spot(phase)],
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
    return _by_day([(phase, metric)])[_spot(phase)]


_SUMMED: Mapping[str, Any] = {f"all_{part}": Sum(part) for part in PARTS}


Spot = tuple[str, int]
"""Of a phase: its experiment's key, and its number."""
_SPOT = ("experiment_id", "phase")


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


def _by_day(metrics: Sequence[tuple[Phase, str]]) -> Mapping[Spot, dict[int, Mapping[str, Parts]]]:
    """As ``by_day``, of one metric of each phase. One query."""
    found: dict[Spot, dict[int, Mapping[str, Parts]]] = defaultdict(dict)
    running: dict[Spot, dict[str, Float64]] = defaultdict(dict)
    which = reduce(or_, (_of(phase) & Q(metric=metric) for phase, metric in metrics))
    rows = _rows(which).values(*_SPOT, "step", "variant").annotate(**_SUMMED).order_by("step")
    for key, number, step, variant, *parts in rows.values_list(*_SPOT, "step", "variant", *_SUMMED):
        sums = running[key, number]
        sums[variant] = sums.get(variant, np.zeros(len(PARTS))) + np.array(parts)
        found[key, number][step] = {name: tuple(one.tolist()) for name, one in sums.items()}
    return found


def _looks(held: Mapping[int, Mapping[str, Parts]], end: datetime) -> dict[int, Mapping[str, Parts]]:
    """Of full days only: a look more would have to be paid for."""
    return {step: held[step] for step in sorted(held) if date.fromordinal(step) < day_of(end)}


def _latencies(phases: Sequence[Phase]) -> Mapping[Spot, dict[str, dict[str, int]]]:
    found: dict[Spot, dict[str, dict[str, int]]] = defaultdict(dict)
    rows = LatencyDay.objects.filter(_of(*phases))
    for key, number, variant, counts in rows.values_list(*_SPOT, "variant", "counts"):
        sums = found[key, number].setdefault(variant, {})
        for bucket, count in counts.items():
            sums[bucket] = sums.get(bucket, 0) + count
    return found
