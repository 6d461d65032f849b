"""``POST /events`` and the older addresses below ``/analytics/track``."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import Viewer, Visitor
from apps.core.api.bodies import validated_body
from apps.core.api.fields import IdField, MomentField, StarsField, UUIDField
from apps.core.api.problems import describe
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import ApplicationError, InvalidInput
from apps.events.models import Kind
from apps.experiments.policy import current_policy
from apps.recommendations.api.shapes import BatchShape, GivenShape
from apps.recommendations.api.visitors import feedback_viewer
from apps.recommendations.services import FeedbackRequest, Given, give_feedback
from apps.training.triggers import learn, learning_json

MAX_BATCH = 500
CLICK = {"item_id": 186, "event_type": "click", "client_id": "phone-7f3a:1"}
RATE = {"item_id": 186, "event_type": "rate", "rating": 4.5, "client_id": "phone-7f3a:2"}
"""The bodies that the pages of the API offer to be tried."""


class EventBody(StrictSerializer):
    user_id = IdField(required=False)
    item_id = IdField(help_text="The film")
    event_type = serializers.ChoiceField(choices=Kind.choices)
    rating = StarsField(required=False)
    event_id = IdField(required=False, help_text="The impression that this answers")
    recommendation_id = UUIDField(required=False)
    client_id = serializers.RegexField(
        r"\A[A-Za-z0-9_.:-]{1,64}\Z", required=False, help_text="Makes a repeat harmless"
    )
    occurred_at = MomentField(required=False)


@extend_schema_field(EventBody)
class ActField(serializers.Field[Any, Any, Any, Any]):
    """Anything: each act of a batch is checked by itself, so that a bad one leaves the good ones alone."""

    def run_validation(self, data: Any = None) -> Any:
        return data


class BatchBody(StrictSerializer):
    events = serializers.ListField(child=ActField(), min_length=1, max_length=MAX_BATCH)


class TrackBody(StrictSerializer):
    user_id = IdField(required=False)
    movie_id = IdField()


class TrackRatingBody(TrackBody):
    rating = StarsField()


class EmptyBody(StrictSerializer):
    """Nothing but the address counts."""


class EventsView(APIView):
    """One act, or a batch of up to 500 in which good ones are kept whatever the others are."""

    permission_classes = [Visitor]

    @extend_schema(
        operation_id="events",
        request=PolymorphicProxySerializer("Events", [EventBody, BatchBody], resource_type_field_name=None),
        responses={
            201: GivenShape,
            200: PolymorphicProxySerializer(
                "EventsAnswer", [GivenShape, BatchShape], resource_type_field_name=None
            ),
        },
        examples=[
            OpenApiExample("One act", value=CLICK, request_only=True),
            OpenApiExample("A batch", value={"events": [CLICK, RATE]}, request_only=True),
        ],
        tags=["feedback"],
    )
    def post(self, request: Request) -> Response:
        if isinstance(request.data, dict) and "events" in request.data:
            events = validated_body(request, BatchBody)["events"]
            results = [_answer_item(request, event) for event in events]
            return Response({"results": results, **learning_json(learn(current_policy().recipe))})
        return answer_given(_give(request, validated_body(request, EventBody)))


def answer_given(given: Given) -> Response:
    """201 for a new act, 200 for one that was there before."""
    body = {
        "status": "success",
        "feedback_id": given.feedback_id,
        "event_id": given.event_id,
        **learning_json(learn(current_policy().recipe)),
    }
    return Response(body, status=201 if given.is_new else 200)


def _give(request: Request, event: dict[str, Any]) -> Given:
    return give_feedback(
        FeedbackRequest(
            viewer=feedback_viewer(request, event.get("user_id")),
            movie_id=event["item_id"],
            kind=Kind(event["event_type"]),
            value=event.get("rating"),
            event_id=event.get("event_id"),
            recommendation_id=event.get("recommendation_id"),
            client_id=event.get("client_id"),
            occurred_at=event.get("occurred_at"),
        )
    )


def _answer_item(request: Request, event: Any) -> dict[str, Any]:
    try:
        if not isinstance(event, dict):
            raise InvalidInput('An act is a JSON object, such as {"item_id": 186, "event_type": "click"}')
        body = EventBody(data=event)
        body.is_valid(raise_exception=True)
        given = _give(request, body.validated_data)
    except (ApplicationError, ValidationError) as error:
        return {"status": "refused", "problem": describe(error, request.path)}
    return {
        "status": "success",
        "is_new": given.is_new,
        "feedback_id": given.feedback_id,
        "event_id": given.event_id,
    }


def _described(
    operation_id: str, request: type[StrictSerializer] | None
) -> Callable[[type[APIView]], type[APIView]]:
    answers = {200: GivenShape, 201: GivenShape}
    return extend_schema_view(
        post=extend_schema(operation_id=operation_id, request=request, responses=answers, tags=["feedback"])
    )


class TrackView(APIView):
    """Says one thing of a film, in the words of older clients."""

    permission_classes = [Viewer]
    kind: Kind
    body_class: type[StrictSerializer] = TrackBody

    def post(self, request: Request) -> Response:
        body = validated_body(request, self.body_class)
        return track(request, body.get("user_id"), body["movie_id"], self.kind, body.get("rating"))


@_described("track_click", TrackBody)
class TrackClickView(TrackView):
    kind = Kind.CLICK


@_described("track_rating", TrackRatingBody)
class TrackRatingView(TrackView):
    kind = Kind.RATE
    body_class = TrackRatingBody


@_described("track_thumbs_up", TrackBody)
class TrackThumbsUpView(TrackView):
    kind = Kind.THUMBS_UP


@_described("track_thumbs_down", TrackBody)
class TrackThumbsDownView(TrackView):
    kind = Kind.THUMBS_DOWN


class TrackPathView(APIView):
    """The same with viewer and film in the address; the viewer must still be the caller's own."""

    permission_classes = [Viewer]
    kind: Kind

    def post(self, request: Request, user_id: int, movie_id: int) -> Response:
        validated_body(request, EmptyBody)
        return track(request, user_id, movie_id, self.kind)


@_described("track_favorite", None)
class TrackFavoriteView(TrackPathView):
    kind = Kind.FAVORITE


@_described("track_watchlist", None)
class TrackWatchlistView(TrackPathView):
    kind = Kind.WATCHLIST


def track(
    request: Request, user_id: int | None, movie_id: int, kind: Kind, value: float | None = None
) -> Response:
    viewer = feedback_viewer(request, user_id)
    return answer_given(give_feedback(FeedbackRequest(viewer, movie_id, kind, value)))
