"""What every endpoint has in common in the OpenAPI document."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes
from drf_spectacular.utils import OpenApiResponse

from apps.core.api.problems import CONTENT_TYPE
from apps.core.api.serializers import ProblemSerializer, StrictSerializer


def bases_that_describe_nothing() -> list[type]:
    """Base classes whose docstrings speak to developers, and are no description of what extends them."""
    return [*get_lib_doc_excludes(), StrictSerializer]  # type: ignore[no-untyped-call] # it ships no types


class Schema(AutoSchema):
    """Any answer that an endpoint does not name is a problem: RFC 9457, the same shape everywhere."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        problem = OpenApiResponse(ProblemSerializer, description="What is wrong, and what to do")
        bodies = super()._get_response_bodies(direction)
        described = self._get_response_for_code(problem, "default", [CONTENT_TYPE], direction)  # type: ignore[no-untyped-call]
        return bodies | {"default": described}
