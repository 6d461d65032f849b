"""``/analytics``: the bandit's state, how its arms fare, and what other policies would have earned."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import ApiKey
from apps.accounts.permissions import Holds
from apps.bandits.reading import state_of, stats_of
from apps.bandits.services import judge, latest_version
from apps.bandits.services.judging import require_version
from apps.bandits.services.targets import UNIFORM
from apps.core.api.queries import QuerySerializer, validated_query

MayLook = Holds("bandits.view_banditpolicy", scope=ApiKey.Scope.ANALYTICS_READ)


class VersionQuery(QuerySerializer):
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Of the policy; the newest if left out"
    )


class StatsQuery(VersionQuery):
    days = serializers.IntegerField(min_value=1, max_value=365, default=7)


class JudgingQuery(VersionQuery):
    policy = serializers.CharField(
        max_length=400,
        default=UNIFORM,
        help_text="uniform, an arm's name, version:N, weights:ARM=PART,... or terms:TERM=VALUE,...",
    )
    days = serializers.IntegerField(min_value=1, max_value=365, default=30)


class CellShape(serializers.Serializer[Any]):
    shown = serializers.IntegerField()
    successes = serializers.IntegerField()
    alpha = serializers.FloatField()
    beta = serializers.FloatField()
    mean = serializers.FloatField()
    low = serializers.FloatField(help_text="Lower end of the 95 % interval")
    high = serializers.FloatField()
    p_best = serializers.FloatField(help_text="Probability of the highest rate in the context")
    share = serializers.FloatField(allow_null=True, help_text="Part of the first draws in the context")


class ContextShape(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    context = serializers.DictField(  # type: ignore[assignment] # a field of that name hides the serializer's own
        child=serializers.CharField()
    )
    arms = serializers.DictField(child=CellShape())


class StateShape(serializers.Serializer[Any]):
    policy_version = serializers.IntegerField()
    frozen = serializers.BooleanField()
    arms = serializers.ListField(child=serializers.CharField())
    first_draw_shares = serializers.DictField(child=serializers.FloatField())
    contexts = ContextShape(many=True)


class ArmStatsShape(serializers.Serializer[Any]):
    shown = serializers.IntegerField()
    successes = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    selection_rate = serializers.FloatField(allow_null=True)


class StatsShape(serializers.Serializer[Any]):
    policy_version = serializers.IntegerField()
    period_days = serializers.IntegerField()
    slates = serializers.IntegerField()
    explored_rate = serializers.FloatField(allow_null=True)
    shown = serializers.IntegerField()
    successes = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    arms = serializers.DictField(child=ArmStatsShape(), help_text="Every arm of the version")


class EstimateShape(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    ci = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    ess = serializers.FloatField(help_text="Effective sample size")
    mean_weight = serializers.FloatField(allow_null=True)
    lift = serializers.FloatField(allow_null=True, help_text="Above what the log earned")
    lift_ci = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    n_units = serializers.IntegerField()
    verdict = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="Why there is no verdict")


class JudgementShape(serializers.Serializer[Any]):
    policy = serializers.CharField()
    policy_version = serializers.IntegerField()
    period_days = serializers.IntegerField()
    films = serializers.IntegerField()
    logged = serializers.FloatField(allow_null=True)
    estimates = serializers.DictField(child=EstimateShape())


class BanditStateView(APIView):
    permission_classes = [MayLook]

    @extend_schema(parameters=[VersionQuery], responses=StateShape)
    def get(self, request: Request) -> Response:
        query = validated_query(request, VersionQuery)
        return Response(state_of(_version(query)))


class BanditStatsView(APIView):
    permission_classes = [MayLook]

    @extend_schema(parameters=[StatsQuery], responses=StatsShape)
    def get(self, request: Request) -> Response:
        query = validated_query(request, StatsQuery)
        return Response(stats_of(_version(query), days=query["days"]))


class OffPolicyView(APIView):
    permission_classes = [MayLook]

    @extend_schema(parameters=[JudgingQuery], responses=JudgementShape)
    def get(self, request: Request) -> Response:
        query = validated_query(request, JudgingQuery)
        (found,) = judge([query["policy"]], version=_version(query), days=query["days"])
        return Response(found.as_json())


def _version(query: dict[str, Any]) -> int:
    version = query.get("version")
    return latest_version() if version is None else require_version(version)
