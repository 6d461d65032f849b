"""What experiments say: of one all of it, of those that run a line and the effects on their goals."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.algorithms.statistics import Effect
from apps.core.api.pagination import BoundedPagination, PageQuery, validate_page_query
from apps.core.api.queries import QuerySerializer, validated_query
from apps.experiments.api.experiments import TAGS, MayLook
from apps.experiments.api.shapes import ResultsShape, RunningShape
from apps.experiments.comparing import Comparison, fixed_effect, value_of
from apps.experiments.contributions import PARTS
from apps.experiments.figures import by_segment
from apps.experiments.metrics import Metric
from apps.experiments.models import Experiment
from apps.experiments.reading import GoalReading, GuardrailReading, Look, is_over
from apps.experiments.services.designing import SEGMENTS
from apps.experiments.summaries import (
    Reading,
    Summary,
    experiment_named,
    readings_of,
    require_reading,
    summaries_of,
    unreadable,
)


class ResultsQuery(QuerySerializer):
    segment = serializers.ChoiceField(
        choices=SEGMENTS, required=False, help_text="Of units, when they were first exposed"
    )


class ResultsView(APIView):
    permission_classes = [MayLook]

    @extend_schema(
        operation_id="experiments_results", parameters=[ResultsQuery], responses=ResultsShape, tags=TAGS
    )
    def get(self, request: Request, key: str) -> Response:
        """What the open phase has counted, or the last one, and what that says."""
        query = validated_query(request, ResultsQuery)
        experiment = experiment_named(key)
        reading = require_reading(experiment)
        segment = _segment_json(reading, query["segment"]) if "segment" in query else None
        return Response({**_results_json(reading), "segment": segment})


class RunningExperimentsView(APIView):
    permission_classes = [MayLook]
    pagination_class = BoundedPagination

    @extend_schema(
        operation_id="analytics_experiments",
        parameters=[PageQuery],
        responses=RunningShape(many=True),
        tags=["analytics"],
    )
    def get(self, request: Request) -> Response:
        """Experiments that run: what to do with each, and the effects on its goals."""
        validate_page_query(request)
        rows = Experiment.objects.filter(state=Experiment.State.RUNNING)
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, self) or []
        summaries = summaries_of(page)
        told = zip(summaries, readings_of(summaries), strict=True)
        return paginator.get_paginated_response([_running_json(*one) for one in told])


def _results_json(reading: Reading) -> dict[str, Any]:
    summary, verdict = reading.summary, reading.verdict
    return {
        "key": summary.experiment.key,
        "name": str(summary.experiment),
        "state": summary.experiment.state,
        "phase": reading.phase.number,
        "day": summary.day,
        "horizon_days": summary.horizon_days,
        "verdict": {
            "outcome": verdict.outcome,
            "variant": verdict.variant,
            "sentence": verdict.sentence,
            "why_not": verdict.why_not,
        },
        "sample_ratio": _sample_ratio_json(reading),
        "goals": [_goal_json(one, reading) for one in verdict.goals],
        "guardrails": [_guardrail_json(one) for one in verdict.guardrails],
    }


def _running_json(summary: Summary, reading: Reading | None) -> dict[str, Any]:
    """``reading`` is None where its plan cannot be read."""
    experiment = summary.experiment
    verdict = reading.verdict if reading else None
    goals = verdict.goals if verdict else ()
    return {
        "key": experiment.key,
        "name": str(experiment),
        "layer": experiment.layer_id,
        "day": summary.day,
        "horizon_days": summary.horizon_days,
        "sentence": verdict.sentence if verdict else unreadable(experiment),
        "outcome": verdict.outcome if verdict else None,
        "sample_ratio": _sample_ratio_json(reading) if reading else None,
        "effects": [_comparison_json(one.comparison) for one in goals],
    }


def _sample_ratio_json(reading: Reading) -> dict[str, Any]:
    units, found = reading.units, reading.verdict.sample_ratio
    total = sum(units.values())
    return {
        "observed": units,
        "expected": {name: weight * total for name, weight in reading.plan.weights.items()},
        "p_value": found.p_value,
        "mismatch": found.mismatch,
    }


def _goal_json(goal: GoalReading, reading: Reading) -> dict[str, Any]:
    comparison = goal.comparison
    metric, adjusted = comparison.metric, comparison.adjusted
    return {
        **_comparison_json(comparison),
        "fixed": _fixed_json(metric, comparison.fixed, reading),
        "adjusted": _fixed_json(metric, adjusted, reading) if adjusted else None,
        "p_adjusted": goal.p_adjusted,
        "is_sure": goal.is_sure,
        "chance_to_beat": goal.chance.chance_to_beat if goal.chance else None,
        "looks": [_look_json(look) for look in goal.looks],
    }


def _guardrail_json(guardrail: GuardrailReading) -> dict[str, Any]:
    return {
        **_comparison_json(guardrail.comparison),
        "margin": guardrail.margin,
        "harm": guardrail.harm,
        "is_broken": guardrail.is_broken,
    }


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "metric": comparison.metric.name,
        "title": comparison.metric.title,
        "variant": comparison.variant,
        "control_value": comparison.control,
        "treatment_value": comparison.treatment,
        "is_relative": not comparison.metric.absolute,
        "any_time": _effect_json(comparison.metric, comparison.any_time),
    }


def _effect_json(metric: Metric, effect: Effect) -> dict[str, Any]:
    return {
        "effect": effect.estimate if metric.absolute else effect.rel_lift,
        "interval": effect.ci if metric.absolute else effect.rel_ci,
        "p_value": effect.p_value,
    }


def _fixed_json(metric: Metric, effect: Effect, reading: Reading) -> dict[str, Any]:
    """An interval says what p does: before the horizon neither is told, lest somebody stops by it."""
    found = _effect_json(metric, effect)
    if not is_over(reading.plan, reading.figures):
        found |= {"interval": None, "p_value": None}
    return {**found, "readable_at": reading.summary.horizon_at}


def _look_json(look: Look) -> dict[str, Any]:
    return {
        "day": look.day,
        "fraction": look.fraction,
        "z": look.z,
        "bound": look.bound,
        "is_crossed": look.is_crossed,
    }


def _segment_json(reading: Reading, name: str) -> dict[str, Any]:
    counted = by_segment(reading.phase).get(name, {})
    plan, nothing = reading.plan, (0.0,) * len(PARTS)
    effects = []
    for goal in reading.verdict.goals:
        metric, variant = goal.comparison.metric, goal.comparison.variant
        parts = counted.get(metric.name, {})
        control, treatment = parts.get(plan.control.name, nothing), parts.get(variant, nothing)
        effect = fixed_effect(metric, control, treatment, plan.alpha)
        effects.append(
            {
                "metric": metric.name,
                "variant": variant,
                "control_value": value_of(metric, control),
                "treatment_value": value_of(metric, treatment),
                "effect": _effect_json(metric, effect)["effect"],
            }
        )
    first = counted.get(plan.goals[0], {})
    units = {variant: first.get(variant, nothing)[0] for variant in plan.weights}
    return {"name": name, "units": units, "effects": effects}
