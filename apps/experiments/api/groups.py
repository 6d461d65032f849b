"""``/users/{user_id}/experiment-group``: where one stands to an experiment."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import acting_user
from apps.accounts.models import User
from apps.accounts.permissions import Viewer
from apps.accounts.units import viewer_language
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.errors import NotFound
from apps.experiments.api.experiments import TAGS
from apps.experiments.api.shapes import GroupShape
from apps.experiments.attributes import attributes_of_user
from apps.experiments.plans import PlannedVariant
from apps.experiments.services import Group, group_of


class GroupQuery(QuerySerializer):
    experiment_id = serializers.SlugField(max_length=60, help_text="The experiment's key")


class ExperimentGroupView(APIView):
    permission_classes = [Viewer]

    @extend_schema(
        operation_id="users_experiment_group", parameters=[GroupQuery], responses=GroupShape, tags=TAGS
    )
    def get(self, request: Request, user_id: int) -> Response:
        """Which variant of an experiment that runs one would be served now, or why none.

        A list counts in it only where it is shown while one is in it.
        """
        key = validated_query(request, GroupQuery)["experiment_id"]
        viewer = acting_user(request, user_id)
        if viewer is None:
            raise NotFound(f"There is no user {user_id}")
        attributes = attributes_of_user(viewer, language=viewer_language(request._request))
        return Response(_group_json(viewer, group_of(viewer.unit_key, key, attributes)))


def _group_json(viewer: User, group: Group) -> dict[str, Any]:
    placement, variant = group.placement, group.variant
    return {
        "user_id": viewer.pk,
        "group_name": placement.variant,
        "model": None if variant is None else _model_of(variant),
        "experiment_name": group.experiment_name,
        "in_experiment": placement.is_in,
        "reason": placement.reason,
    }


def _model_of(variant: PlannedVariant) -> str | None:
    return variant.strategy.label if variant.strategy else variant.recipe
