"""Query parameters, as strict as bodies."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from apps.core.errors import FieldError, InvalidInput


class QuerySerializer(serializers.Serializer[Any]):
    """Base of every description of query parameters: its fields count, each by itself."""


def validated_query(request: Request, serializer_class: type[QuerySerializer]) -> dict[str, Any]:
    """The query's values by name. Unknown, repeated or out-of-range parameters are ``InvalidInput``."""
    query: QueryDict = request.query_params
    fields = _fields(serializer_class)
    errors = list(_misplaced(query, fields))
    values: dict[str, Any] = {}
    for name, field in fields.items():
        try:
            if name in query:
                values[name] = field.run_validation(query[name])
            elif field.required:
                field.fail("required")
            elif field.default is not empty:
                values[name] = field.get_default()
        except serializers.ValidationError as error:
            detail: Any = error.detail
            errors.append(FieldError(f"?{name}", str(detail[0])))
    if errors:
        raise InvalidInput(errors[0].detail, errors=errors)
    return values


def _misplaced(query: QueryDict, fields: Mapping[str, Any]) -> Iterator[FieldError]:
    there_are = f"there are: {', '.join(fields)}" if fields else "none is taken"
    for name in sorted(set(query) - set(fields)):
        yield FieldError(f"?{name}", f"There is no parameter {name!r} here; {there_are}")
    for name, values in query.lists():
        if len(values) > 1 and name in fields:
            yield FieldError(f"?{name}", "This parameter was given more than once")


@cache
def _fields(serializer_class: type[QuerySerializer]) -> Mapping[str, Any]:
    """Made once: a serializer copies all its fields for each instance, and a field keeps no state of
    what it validates.
    """
    return dict(serializer_class().fields)
