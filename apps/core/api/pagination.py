"""Lists are bounded: ``{count, next, previous, results}`` with at most 100 rows a page."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from apps.core.api.fields import IntegerField
from apps.core.api.queries import QuerySerializer, validated_query

MAX_PAGE_SIZE = 100


class PageQuery(QuerySerializer):
    page = IntegerField(min_value=1, max_value=1_000_000, default=1)
    page_size = IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=20)


class BoundedPagination(PageNumberPagination):
    """Pages by ``page`` and ``page_size``; a page after the last one is 404."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except NotFound:
            raise NotFound("There is no such page") from None


def validate_page_query(request: Request) -> None:
    """Refuses a query that holds more than ``page`` and ``page_size``, or values out of range."""
    validated_query(request, PageQuery)
