"""``/ratings``, ``/favorites``, ``/watchlist`` and ``/dismissals``: one's own, read and changed."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.acting import acting_user
from apps.accounts.permissions import Visitor
from apps.core.api.bodies import validated_body
from apps.core.api.fields import IdField, StarsField
from apps.core.api.pagination import BoundedPagination, PageQuery
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import NotFound
from apps.events.models import Kind
from apps.ratings.models import Dismissal, Favorite, Flag, Rating, WatchlistItem
from apps.recommendations.api.feedback import answer_given
from apps.recommendations.api.shapes import GivenShape, PreferenceShape, RatingShape
from apps.recommendations.api.visitors import feedback_viewer
from apps.recommendations.services import FeedbackRequest, give_feedback


class OwnQuery(QuerySerializer):
    user_id = IdField(required=False, help_text="For programs that act for users")


class OwnListQuery(PageQuery, OwnQuery):
    """A page of one's own."""


class FlagBody(StrictSerializer):
    user_id = IdField(required=False)


class RatingBody(FlagBody):
    rating = StarsField()


class OwnListView(APIView):
    """One's own, latest first."""

    permission_classes = [Visitor]
    pagination_class = BoundedPagination
    model: ClassVar[type[Rating] | type[Flag]]

    def get(self, request: Request) -> Response:
        query = validated_query(request, OwnListQuery)
        viewer = acting_user(request, query.get("user_id"))
        rows = self.rows().filter(user=viewer) if viewer else self.rows().none()
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, self) or []
        return paginator.get_paginated_response([self.row_json(row) for row in page])

    def rows(self) -> models.QuerySet[Any]:
        return self.model.objects.listed().select_related("movie")

    def row_json(self, row: Any) -> dict[str, Any]:
        return {"movie_id": row.movie_id, "title": row.movie.title, "changed_at": row.changed_at}


class OwnItemView(APIView):
    """One film's. GET is 404 when there is none; PUT and DELETE may be repeated."""

    permission_classes = [Visitor]
    lists: ClassVar[type[OwnListView]]
    body_class: ClassVar[type[StrictSerializer]] = FlagBody
    put_kind: ClassVar[Kind]
    delete_kind: ClassVar[Kind]

    def get(self, request: Request, movie_id: int) -> Response:
        viewer = acting_user(request, validated_query(request, OwnQuery).get("user_id"))
        row = self.lists().rows().filter(user=viewer, movie_id=movie_id).first() if viewer else None
        if row is None:
            raise NotFound(f"You have none of film {movie_id}")
        return Response(self.lists().row_json(row))

    def put(self, request: Request, movie_id: int) -> Response:
        body = validated_body(request, self.body_class)
        return self._give(request, body, movie_id, self.put_kind)

    def delete(self, request: Request, movie_id: int) -> Response:
        return self._give(request, validated_query(request, OwnQuery), movie_id, self.delete_kind)

    def _give(self, request: Request, given: dict[str, Any], movie_id: int, kind: Kind) -> Response:
        viewer = feedback_viewer(request, given.get("user_id"))
        return answer_given(give_feedback(FeedbackRequest(viewer, movie_id, kind, given.get("rating"))))


def _lists(name: str, shape: type[PreferenceShape]) -> Callable[[type[OwnListView]], type[OwnListView]]:
    many = shape(many=True)
    return extend_schema_view(
        get=extend_schema(operation_id=f"{name}_list", parameters=[OwnListQuery], responses=many, tags=[name])
    )


def _items(
    name: str, shape: type[PreferenceShape], body: type[StrictSerializer]
) -> Callable[[type[OwnItemView]], type[OwnItemView]]:
    given = {200: GivenShape, 201: GivenShape}
    return extend_schema_view(
        get=extend_schema(operation_id=f"{name}_get", parameters=[OwnQuery], responses=shape, tags=[name]),
        put=extend_schema(operation_id=f"{name}_put", request=body, responses=given, tags=[name]),
        delete=extend_schema(
            operation_id=f"{name}_delete", parameters=[OwnQuery], responses=given, tags=[name]
        ),
    )


@_lists("ratings", RatingShape)
class RatingsView(OwnListView):
    model = Rating

    def row_json(self, row: Any) -> dict[str, Any]:
        return super().row_json(row) | {"rating": row.value}


@_items("ratings", RatingShape, RatingBody)
class RatingView(OwnItemView):
    lists, body_class = RatingsView, RatingBody
    put_kind, delete_kind = Kind.RATE, Kind.UNRATE


@_lists("favorites", PreferenceShape)
class FavoritesView(OwnListView):
    model = Favorite


@_items("favorites", PreferenceShape, FlagBody)
class FavoriteView(OwnItemView):
    lists = FavoritesView
    put_kind, delete_kind = Kind.FAVORITE, Kind.UNFAVORITE


@_lists("watchlist", PreferenceShape)
class WatchlistView(OwnListView):
    model = WatchlistItem


@_items("watchlist", PreferenceShape, FlagBody)
class WatchlistItemView(OwnItemView):
    lists = WatchlistView
    put_kind, delete_kind = Kind.WATCHLIST, Kind.UNWATCHLIST


@_lists("dismissals", PreferenceShape)
class DismissalsView(OwnListView):
    model = Dismissal


@_items("dismissals", PreferenceShape, FlagBody)
class DismissalView(OwnItemView):
    lists = DismissalsView
    put_kind, delete_kind = Kind.DISMISS, Kind.UNDISMISS
