"""``/experiments``: all there are, and one as it was set up and as it stands."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import ApiKey
from apps.accounts.permissions import Holds
from apps.core.api.pagination import BoundedPagination, PageQuery
from apps.core.api.queries import QuerySerializer, validated_query
from apps.experiments.api.shapes import SummaryShape, WholeExperimentShape
from apps.experiments.models import Experiment, Phase
from apps.experiments.services import design_json, design_of
from apps.experiments.summaries import (
    Reading,
    Summary,
    experiment_named,
    newest_entries,
    readings_of,
    summaries_of,
    unreadable,
)

TAGS = ["experiments"]
MayLook = Holds("experiments.view_experiment", scope=ApiKey.Scope.ANALYTICS_READ)


class NoQuery(QuerySerializer):
    """No parameter is taken."""


class ExperimentsQuery(PageQuery):
    state = serializers.ChoiceField(choices=Experiment.State.values, required=False)


class ExperimentsView(APIView):
    permission_classes = [MayLook]
    pagination_class = BoundedPagination

    @extend_schema(
        operation_id="experiments_list",
        parameters=[ExperimentsQuery],
        responses=SummaryShape(many=True),
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """All experiments, the one that was made last first."""
        query = validated_query(request, ExperimentsQuery)
        rows = Experiment.objects.prefetch_related("variants")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, self) or []
        return paginator.get_paginated_response([summary_json(one) for one in summaries_of(page)])


class ExperimentView(APIView):
    permission_classes = [MayLook]

    @extend_schema(operation_id="experiments_get", responses=WholeExperimentShape, tags=TAGS)
    def get(self, request: Request, key: str) -> Response:
        """What staff designed, what its phase is frozen to, where its ramp stands, and its ledger."""
        validated_query(request, NoQuery)
        experiment = experiment_named(key)
        (summary,) = summaries_of([experiment])
        (reading,) = readings_of([summary])
        return Response(
            {
                **summary_json(summary),
                "design": design_json(design_of(experiment)),
                **{name: getattr(experiment, name) for name in _OWN},
                "phase": _phase_json(summary.phase) if summary.phase else None,
                "ramp": _ramp_json(summary, reading),
                "ledger": [_entry_json(entry) for entry in newest_entries(experiment)],
            }
        )


_OWN = ("planned_units", "version", "created_by", "created_at")


def summary_json(summary: Summary) -> dict[str, Any]:
    experiment = summary.experiment
    return {
        "key": experiment.key,
        "name": str(experiment),
        "layer": experiment.layer_id,
        "state": experiment.state,
        "range": {"start": experiment.range_start, "end": experiment.range_end},
        "coverage": summary.coverage,
        "day": summary.day,
        "horizon_days": summary.horizon_days,
        "started_at": experiment.started_at,
        "ended_at": experiment.ended_at,
        "variants": [
            {"name": one.name, "weight": one.weight, "is_control": one.is_control}
            for one in experiment.variants.all()
        ],
    }


def _phase_json(phase: Phase) -> dict[str, Any]:
    names = ("number", "digest", "started_at", "ended_at", "begun_by", "reason", "plan")
    return {name: getattr(phase, name) for name in names}


def _ramp_json(summary: Summary, reading: Reading | None) -> dict[str, Any] | None:
    found = summary.standing() if reading is None else reading.standing
    if found is None or summary.phase is None:
        return None
    return {
        "step": found.step + 1,
        "n_steps": len(summary.phase.plan["steps"]),
        "coverage": found.coverage,
        "since": found.since,
        "waits_for": found.waits_for,
        "held_by": [unreadable(summary.experiment)] if reading is None else reading.holds,
    }


def _entry_json(entry: Any) -> dict[str, Any]:
    names = ("id", "kind", "phase", "at", "by", "reason", "acted")
    return {"step": entry.step + 1, **{name: getattr(entry, name) for name in names}}
