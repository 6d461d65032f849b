"""Query parameters, as strict as bodies."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.errors import FieldError, InvalidInput


class QuerySerializer(serializers.Serializer[Any]):
    """Base of every description of query parameters."""


def validated_query(request: Request, serializer_class: type[QuerySerializer]) -> dict[str, Any]:
    """The query's values by name. Unknown, repeated or out-of-range parameters are ``InvalidInput``."""
    serializer = serializer_class(data=request.query_params.dict())
    unknown = sorted(set(request.query_params) - set(serializer.fields))
    errors = [
        FieldError(
            f"?{name}", f"There is no parameter {name!r} here; there are: {', '.join(serializer.fields)}"
        )
        for name in unknown
    ]
    errors += [
        FieldError(f"?{name}", "This parameter was given more than once")
        for name, values in request.query_params.lists()
        if len(values) > 1 and name in serializer.fields
    ]
    if not serializer.is_valid():
        errors += [
            FieldError(f"?{name}", str(details[0] if isinstance(details, list) else details))
            for name, details in serializer.errors.items()
        ]
    if errors:
        raise InvalidInput(errors[0].detail, errors=errors)
    return dict(serializer.validated_data)
