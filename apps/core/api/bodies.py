"""Request bodies, checked."""

from typing import Any

from rest_framework.request import Request

from apps.core.api.serializers import StrictSerializer


def validated_body(
    request: Request, serializer_class: type[StrictSerializer], *, partial: bool = False
) -> dict[str, Any]:
    """The body's values by name; everything that is wrong with it is refused at once."""
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
