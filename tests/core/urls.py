"""Probes: every kind of failure, a list, and a body."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.permissions import Visitor
from apps.core import errors
from apps.core.api.bodies import validated_body
from apps.core.api.fields import FloatField, IdField, IntegerField, StarsField, TextField
from apps.core.api.pagination import BoundedPagination, validate_page_query
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.serializers import StrictSerializer
from apps.core.api.urls import api_path

FAILURES: dict[str, Exception] = {
    "invalid": errors.InvalidInput.of("/stars", "Too many stars"),
    "credentials": errors.CredentialsRefused("Who are you?"),
    "forbidden": errors.Forbidden("Not you"),
    "missing": errors.NotFound("There is no film 5"),
    "conflict": errors.Conflict("It runs already"),
    "often": errors.TooMany("Slower", retry_after=7),
    "unavailable": errors.Unavailable("The model is loading"),
    "http404": Http404("internal words"),
    "denied": PermissionDenied("internal words"),
    "throttled": exceptions.Throttled(wait=2.1),
    "method": exceptions.MethodNotAllowed("PATCH"),
    "nested": exceptions.ValidationError(
        {"films": [{"stars": ["Too many"]}, {}], "non_field_errors": ["No"]}
    ),
    "bug": ZeroDivisionError("oops"),
}


class FailView(APIView):
    permission_classes = [Visitor]

    def get(self, request: Request, name: str) -> Response:
        raise FAILURES[name]


class PageView(APIView):
    permission_classes = [Visitor]

    def get(self, request: Request) -> Response:
        validate_page_query(request)
        pages = BoundedPagination()
        return pages.get_paginated_response(pages.paginate_queryset(range(250), request, self))


class SearchQuery(QuerySerializer):
    n = IntegerField(min_value=1, max_value=100, default=20)
    diversity = FloatField(min_value=0, max_value=1, required=False)


class SearchView(APIView):
    permission_classes = [Visitor]

    def get(self, request: Request) -> Response:
        return Response(validated_query(request, SearchQuery))


class NoQuery(QuerySerializer):
    pass


class PlainView(APIView):
    permission_classes = [Visitor]

    def get(self, request: Request) -> Response:
        return Response(validated_query(request, NoQuery))


class FilmInput(StrictSerializer):
    film_id = IdField()
    stars = StarsField(required=False)
    title = TextField(required=False)
    added_by = TextField(read_only=True)


class ListInput(StrictSerializer):
    films = FilmInput(many=True)


class BodyView(APIView):
    permission_classes = [Visitor]

    def post(self, request: Request) -> Response:
        return Response(validated_body(request, ListInput))

    def put(self, request: Request) -> Response:
        data: Any = request.data
        return Response({"data": data})


urlpatterns = [
    api_path("api/v1/fail/<str:name>", FailView),
    api_path("api/v1/pages", PageView, name="pages"),
    api_path("api/v1/search", SearchView),
    api_path("api/v1/plain", PlainView),
    api_path("api/v1/body", BodyView),
]
