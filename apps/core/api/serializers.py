"""Bodies that are taken whole or not at all, and the shape of a problem."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Base of every request body: a field that is unknown or read-only is refused, never dropped."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown_fields(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not unknown or not isinstance(error.detail, dict):
                raise
            raise serializers.ValidationError({**unknown, **error.detail}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return value

    def _unknown_fields(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        known = [name for name, field in self.fields.items() if not field.read_only]
        there_are = ", ".join(known)
        return {
            str(name): [f"There is no field {name!r} here; there are: {there_are}"]
            for name in data
            if name not in known
        }


class ProblemErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457, for the OpenAPI document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    request_id = serializers.CharField()
    # The stubs take the name for the property of the serializer; it is a field's.
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]
