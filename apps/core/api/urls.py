"""Addresses of the API."""

import re
from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from rest_framework.views import APIView

_CONVERTER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


class OptionalSlashPattern(RoutePattern):
    """A route without a slash at its end that matches with one as well."""

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, int | str]] | None:
        return super().match(path.removesuffix("/"))


def api_path(route: str, view: type[APIView], name: str | None = None) -> URLPattern:
    """The address of one view. Its name is the route with hyphens: ``auth/token`` is ``auth-token``,
    ``movies/<int:movie_id>`` is ``movies-movie_id``.
    """
    name = name or _CONVERTER.sub(r"\1", route).replace("/", "-")
    return URLPattern(OptionalSlashPattern(route, name=name, is_endpoint=True), view.as_view(), None, name)
