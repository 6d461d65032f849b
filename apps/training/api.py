"""What the model learned and when, and asking it to learn now."""

from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import ApiKey
from apps.accounts.permissions import Holds
from apps.core.api.bodies import validated_body
from apps.core.api.fields import FloatField, IdField, IntegerField
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import NotFound
from apps.core.nudges import nudge
from apps.core.services import record_audit
from apps.experiments.policy import current_policy
from apps.training.backlog import backlog
from apps.training.models import ModelUpdateLog, ModelVersion, TrainingRun, UpdateType
from apps.training.services import request_run
from apps.training.tasks import fit
from apps.training.triggers import run_json

TAGS = ["learning"]
MayLook = Holds("training.view_trainingrun", scope=ApiKey.Scope.ANALYTICS_READ)
MayStart = Holds("training.add_trainingrun")
ASKED = {"full_retrain": UpdateType.FULL, "warm_start": UpdateType.WARM_START}
MAX_LOGS = 100


class NoQuery(QuerySerializer):
    """No parameter is taken."""


class UpdatesQuery(QuerySerializer):
    limit = IntegerField(min_value=1, max_value=MAX_LOGS, default=10, help_text="How many, the last first")


class UpdateBody(StrictSerializer):
    update_type = serializers.ChoiceField(choices=list(ASKED))
    recipe = serializers.CharField(max_length=60, required=False, help_text="Else the one that serves")


class TriggerBody(StrictSerializer):
    recipe = serializers.CharField(max_length=60, required=False, help_text="Else the one that serves")


class LogShape(serializers.ModelSerializer[ModelUpdateLog]):
    class Meta:
        model = ModelUpdateLog
        fields = [
            "id",
            "model_type",
            "update_type",
            "ratings_processed",
            "update_trigger",
            "metrics",
            "duration_seconds",
            "success",
            "error_message",
            "version",
            "run_id",
            "created_at",
        ]


class LineShape(serializers.Serializer[dict[str, Any]]):
    """``second`` counts from when the run was taken up."""

    second = serializers.FloatField()
    line = serializers.CharField()


class RunShape(serializers.ModelSerializer[TrainingRun]):
    """``version`` is the one that the run made, null until it has, and where it made none."""

    recipe = serializers.CharField(source="recipe.name")
    version = serializers.SerializerMethodField()
    steps = serializers.DictField(
        child=serializers.FloatField(), help_text="What is done of n_steps, and its seconds"
    )
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What it had to do without")
    log = LineShape(many=True)

    class Meta:
        model = TrainingRun
        fields = [
            "id",
            "recipe",
            "update_type",
            "trigger",
            "status",
            "phase",
            "started_at",
            "heartbeat_at",
            "finished_at",
            "error",
            "version",
            "n_steps",
            "steps",
            "warnings",
            "log",
        ]

    def get_version(self, run: TrainingRun) -> str | None:
        made = run.versions.first()
        return made.name if made else None


_ACCEPTED = inline_serializer("AcceptedRun", {"run_id": IdField(), "status_url": serializers.CharField()})
_STATS = inline_serializer(
    "LearningStats",
    {
        "recipe": serializers.CharField(),
        "model_version": serializers.CharField(allow_null=True),
        "auto_update": serializers.BooleanField(),
        "buffer_size": IntegerField(min_value=0),
        "update_threshold": IntegerField(min_value=1),
        "update_interval_hours": FloatField(),
        "should_update": serializers.BooleanField(),
        "seconds_since_update": FloatField(allow_null=True),
        "total_processed": IntegerField(min_value=0),
        "total_updates": IntegerField(min_value=0),
        "failed_updates": IntegerField(min_value=0),
        "last_update": LogShape(allow_null=True),
    },
)


class LearningStatsView(APIView):
    permission_classes = [MayLook]

    @extend_schema(operation_id="learning_stats", responses=_STATS, tags=TAGS)
    def get(self, request: Request) -> Response:
        """What waits to be learned by the recipe that serves, and how often it learned."""
        validated_query(request, NoQuery)
        recipe = current_policy().recipe
        waiting = backlog(recipe)
        live = ModelVersion.objects.filter(recipe__name=recipe, status=ModelVersion.Status.LIVE)
        logs = ModelUpdateLog.objects.filter(model_type=recipe)
        succeeded = Count("pk", filter=Q(success=True))
        counted = logs.aggregate(done=succeeded, failed=Count("pk", filter=Q(success=False)))
        last, age = logs.first(), waiting.read_at and timezone.now() - waiting.read_at
        return Response(
            {
                "recipe": recipe,
                "model_version": live.values_list("name", flat=True).first(),
                "auto_update": settings.AUTO_UPDATE,
                "buffer_size": waiting.buffer_size,
                "update_threshold": settings.UPDATE_THRESHOLD,
                "update_interval_hours": settings.UPDATE_INTERVAL_HOURS,
                "should_update": waiting.should_update,
                "seconds_since_update": age and round(age.total_seconds(), 1),
                "total_processed": waiting.total_processed,
                "total_updates": counted["done"],
                "failed_updates": counted["failed"],
                "last_update": LogShape(last).data if last else None,
            }
        )


class ModelUpdatesView(APIView):
    permission_classes = [MayLook]

    @extend_schema(
        operation_id="model_updates", parameters=[UpdatesQuery], responses=LogShape(many=True), tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """The last attempts to make the model better, of every recipe, the last first."""
        limit = validated_query(request, UpdatesQuery)["limit"]
        return Response(LogShape(ModelUpdateLog.objects.all()[:limit], many=True).data)


class ForceUpdateView(APIView):
    permission_classes = [MayStart]

    @extend_schema(operation_id="force_update", request=UpdateBody, responses={202: _ACCEPTED}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Asks for a fit now; 409 while another one runs."""
        body = validated_body(request, UpdateBody)
        return _start(request, ASKED[body["update_type"]], body.get("recipe"))


class TriggerUpdateView(APIView):
    permission_classes = [MayStart]

    @extend_schema(operation_id="trigger_update", request=TriggerBody, responses={202: _ACCEPTED}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Asks for an update by what was rated since the last one; 409 while another fit runs."""
        body = validated_body(request, TriggerBody)
        return _start(request, UpdateType.WARM_START, body.get("recipe"))


class RunView(APIView):
    permission_classes = [MayLook]

    @extend_schema(operation_id="training_run", responses=RunShape, tags=TAGS)
    def get(self, request: Request, run_id: int) -> Response:
        """A fit from its request to its end."""
        validated_query(request, NoQuery)
        run = TrainingRun.objects.select_related("recipe").filter(pk=run_id).first()
        if run is None:
            raise NotFound(f"There is no training run {run_id}")
        return Response(RunShape(run).data)


def _start(request: Request, update_type: UpdateType, recipe: str | None) -> Response:
    run = request_run(recipe=recipe or current_policy().recipe, trigger="manual", update_type=update_type)
    record_audit("training.start", by=request.user, target=run, after={"update_type": update_type})
    nudge(fit, run.pk)
    accepted: dict[str, Any] = run_json(run)
    return Response(accepted, status=202)
