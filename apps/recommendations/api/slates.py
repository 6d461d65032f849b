"""``GET /movies/recommendations``, ``POST /recommend`` and ``GET /movies/{id}/similar``."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import Viewer, Visitor
from apps.algorithms.registry import ARMS
from apps.catalog.models import Genre, Movie
from apps.core.api.fields import FloatField, IdField, IntegerField
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import Forbidden, InvalidInput, NotFound
from apps.events.models import Surface
from apps.recommendations.api.genres import unknown_genre
from apps.recommendations.api.shapes import SimilarShape, SlateShape
from apps.recommendations.api.visitors import (
    OPEN_ALGORITHMS,
    audience_of,
    is_held,
    may_steer,
    require_algorithm,
    require_bandit_held,
    require_held,
)
from apps.recommendations.audience import Audience
from apps.recommendations.services import recommend
from apps.recommendations.slates import DEFAULT_LENGTH, MAX_LENGTH

MAX_EXCLUDED = 500


class ExcludeField(serializers.CharField):
    """Film ids, comma-separated."""

    def to_internal_value(self, data: Any) -> tuple[int, ...]:  # type: ignore[override] # a query's text
        words = [word for word in super().to_internal_value(data).split(",") if word]
        if len(words) > MAX_EXCLUDED:
            raise serializers.ValidationError(f"At most {MAX_EXCLUDED} films can be excluded.")
        if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
            raise serializers.ValidationError("Give film ids, comma-separated.")
        return tuple(int(word) for word in words)


class SlateQuery(QuerySerializer):
    user_id = IdField(required=False, help_text="For programs that act for users")
    n = IntegerField(min_value=1, max_value=MAX_LENGTH, default=DEFAULT_LENGTH)
    diversity = FloatField(min_value=0, max_value=1, required=False)
    algorithm = serializers.CharField(required=False, help_text=f"One of {', '.join(ARMS)}")
    genre = serializers.CharField(required=False)
    exclude = ExcludeField(required=False, help_text="Film ids, comma-separated")
    use_bandit = serializers.BooleanField(required=False, allow_null=True, default=None)
    timezone = serializers.CharField(required=False, help_text="An IANA name such as Europe/Berlin")


class RecommendBody(StrictSerializer):
    user_id = IdField(required=False)
    n_recommendations = IntegerField(min_value=1, max_value=MAX_LENGTH, default=DEFAULT_LENGTH)
    model_type = serializers.CharField(required=False, max_length=40)


class SimilarQuery(QuerySerializer):
    user_id = IdField(required=False, help_text="For programs that act for users")
    n = IntegerField(min_value=1, max_value=MAX_LENGTH, default=10)


class RecommendationsView(APIView):
    """A list of films for the viewer, logged film by film."""

    permission_classes = [Visitor]

    @extend_schema(
        operation_id="recommendations",
        parameters=[SlateQuery],
        responses=SlateShape,
        tags=["recommendations"],
    )
    def get(self, request: Request) -> Response:
        query = validated_query(request, SlateQuery)
        audience = audience_of(request, query.get("user_id"), query.get("timezone"))
        require_algorithm(request, query.get("algorithm"))
        require_held(audience, query.get("algorithm"))
        _require_bandit_right(request, audience, query["use_bandit"])
        slate = recommend(
            replace(
                audience.request(Surface.API, query["n"]),
                diversity=query.get("diversity"),
                algorithm=query.get("algorithm"),
                genre=_known_genre(query.get("genre")),
                exclude=query.get("exclude", ()),
                use_bandit=query["use_bandit"],
            )
        )
        return Response(slate.as_json())


class RecommendView(APIView):
    """The same slate by POST. ``model_type`` is a wish: what an experiment assigned comes first."""

    permission_classes = [Viewer]

    @extend_schema(
        operation_id="recommend", request=RecommendBody, responses=SlateShape, tags=["recommendations"]
    )
    def post(self, request: Request) -> Response:
        body = RecommendBody(data=request.data)
        body.is_valid(raise_exception=True)
        audience = audience_of(request, body.validated_data.get("user_id"))
        plain = audience.request(Surface.API, body.validated_data["n_recommendations"])
        wish = _granted_wish(request, audience, body.validated_data.get("model_type"))
        slate = recommend(replace(plain, algorithm=wish))
        return Response(slate.as_json())


class SimilarView(APIView):
    """Films that people who liked this one liked too."""

    permission_classes = [Visitor]

    @extend_schema(
        operation_id="similar",
        parameters=[SimilarQuery, OpenApiParameter("movie_id", int, OpenApiParameter.PATH)],
        responses=SimilarShape(many=True),
        tags=["movies"],
    )
    def get(self, request: Request, movie_id: int) -> Response:
        query = validated_query(request, SimilarQuery)
        if not Movie.objects.available().filter(pk=movie_id).exists():
            raise NotFound(f"There is no film {movie_id}")
        audience = audience_of(request, query.get("user_id"))
        slate = recommend(replace(audience.request(Surface.SIMILAR, query["n"]), anchor=movie_id))
        return Response(
            [
                {
                    "movie_id": slot.movie_id,
                    "title": slot.title,
                    "score": slot.score,
                    "reason": slot.reason.as_json(),
                }
                for slot in slate.slots
            ]
        )


def _known_genre(name: str | None) -> str | None:
    if name is None:
        return None
    genre = Genre.objects.filter(name__iexact=name).values_list("name", flat=True).first()
    if genre is None:
        raise unknown_genre(name, "?genre")
    return genre


def _require_bandit_right(request: Request, audience: Audience, use_bandit: bool | None) -> None:
    if use_bandit is None:
        return
    if not may_steer(request):
        raise Forbidden("Only staff, and programs that act for users, may switch the bandit")
    if use_bandit:
        require_bandit_held(audience)


def _granted_wish(request: Request, audience: Audience, model_type: str | None) -> str | None:
    """A wish that the caller may make and the model can serve; another is not granted, which is no error."""
    if model_type is None:
        return None
    if model_type not in ARMS:
        known = ", ".join(ARMS)
        raise InvalidInput.of("/model_type", f"There is no algorithm {model_type!r}; there are: {known}")
    may_wish = model_type in OPEN_ALGORITHMS or may_steer(request)
    return model_type if may_wish and is_held(audience, model_type) else None
