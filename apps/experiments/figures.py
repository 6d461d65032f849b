"""What a phase has counted, as a value that says all that is decided from: sums over units, and nobody's."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Sum

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
    end = min(now, phase.ended_at or now)
    looks = _looks(phase, plan, end)
    return Figures(
        metrics=_metrics(phase),
        looks=tuple(looks.values()),
        look_days=tuple(looks),
        latencies=_latencies(phase),
        days=(end - phase.started_at) / timedelta(days=1),
        planned_units=plan.planned_units,
    )


def by_segment(phase: Phase) -> Mapping[str, Mapping[str, Mapping[str, Parts]]]:
    """By segment, metric and variant. One query."""
    found: dict[str, dict[str, dict[str, Parts]]] = defaultdict(lambda: defaultdict(dict))
    rows = _rows(phase).values("segment", "metric", "variant").annotate(**_SUMMED)
    for segment, metric, variant, *parts in rows.values_list("segment", "metric", "variant", *_SUMMED):
        found[segment][metric][variant] = tuple(parts)
    return found


def by_age(phase: Phase, metric: str) -> Mapping[int, Mapping[str, Parts]]:
    """By days since exposure and variant, what that day alone brought. One query."""
    found: dict[int, dict[str, Parts]] = defaultdict(dict)
    rows = _rows(phase, axis=Snapshot.Axis.AGE).filter(metric=metric)
    rows = rows.values("step", "variant").annotate(**_SUMMED).order_by("step")
    for step, variant, *parts in rows.values_list("step", "variant", *_SUMMED):
        found[step][variant] = tuple(parts)
    return found


def by_day(phase: Phase, metric: str) -> Mapping[int, Mapping[str, Parts]]:
    """At the end of each UTC day with any change, by its ordinal and variant. One query."""
    found: dict[int, dict[str, Parts]] = {}
    running: dict[str, Float64] = {}
    rows = _rows(phase).filter(metric=metric).values("step", "variant").annotate(**_SUMMED)
    for step, variant, *parts in rows.order_by("step").values_list("step", "variant", *_SUMMED):
        running[variant] = running.get(variant, np.zeros(len(PARTS))) + np.array(parts)
        found[step] = {name: tuple(sums.tolist()) for name, sums in running.items()}
    return found


_SUMMED: Mapping[str, Any] = {f"all_{part}": Sum(part) for part in PARTS}


def _rows(phase: Phase, *, axis: str = Snapshot.Axis.DAY) -> Any:
    rows = Snapshot.objects.filter(experiment_id=phase.experiment_id, phase=phase.number, axis=axis)
    return rows.order_by()


def _metrics(phase: Phase) -> dict[str, dict[str, Parts]]:
    found: dict[str, dict[str, Parts]] = defaultdict(dict)
    rows = _rows(phase).values("metric", "variant").annotate(**_SUMMED)
    for metric, variant, *parts in rows.values_list("metric", "variant", *_SUMMED):
        found[metric][variant] = tuple(parts)
    return dict(found)


def _looks(phase: Phase, plan: Plan, end: datetime) -> dict[int, Mapping[str, Parts]]:
    """Of full days only: a look more would have to be paid for."""
    held = by_day(phase, plan.goals[0])
    return {step: held[step] for step in sorted(held) if date.fromordinal(step) < day_of(end)}


def _latencies(phase: Phase) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = LatencyDay.objects.filter(experiment_id=phase.experiment_id, phase=phase.number)
    for variant, counts in rows.values_list("variant", "counts"):
        of = found.setdefault(variant, {})
        for bucket, count in counts.items():
            of[bucket] = of.get(bucket, 0) + count
    return found
