"""Serializer fields that take what JSON says and nothing that merely looks like it."""

import math
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_ID = 2**63 - 1
_ASCII_INTEGER = re.compile(r"-?[0-9]{1,19}")
_HEXADECIMAL = "[0-9a-fA-F]"
_UUID = re.compile(f"{_HEXADECIMAL}{{8}}(-?{_HEXADECIMAL}{{4}}){{3}}-?{_HEXADECIMAL}{{12}}")
# The first and last moments that every zone and every database can hold, with room for a difference.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


class IntegerField(serializers.IntegerField):
    """A JSON integer, or in a query ASCII digits. True, 1.0, " 1" and full-width digits are refused."""

    default_error_messages = {"invalid": "A whole number is needed."}

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", -MAX_ID)
        options.setdefault("max_value", MAX_ID)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        if not (isinstance(data, str) and _ASCII_INTEGER.fullmatch(data)):
            self.fail("invalid")
        return int(data)


class IdField(IntegerField):
    """A row's id: 1 to 2^63 - 1."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", 1)
        super().__init__(**options)


class FloatField(serializers.FloatField):
    """A finite JSON number, or in a query ASCII digits."""

    default_error_messages = {"invalid": "A finite number is needed."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or (isinstance(data, str) and not data.isascii()):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


@extend_schema_field(
    {"type": "number", "format": "double", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5, "example": 4.5}
)
class StarsField(FloatField):
    """0.5 to 5.0 by halves."""

    default_error_messages = {"stars": "A rating is 0.5 to 5 stars in steps of a half."}

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not 0.5 <= value <= 5.0 or (value * 2) != int(value * 2):
            self.fail("stars")
        return value


class UUIDField(serializers.UUIDField):
    """A UUID as a text of ASCII digits, hyphens or not; Python's own takes numbers, too."""

    def to_internal_value(self, data: Any) -> UUID:
        if not (isinstance(data, str) and _UUID.fullmatch(data)):
            self.fail("invalid", value=data)
        return UUID(data)


class MomentField(serializers.DateTimeField):
    """A moment as ISO 8601 in ASCII, from 1970 on. Without an offset it is the site's time."""

    default_error_messages = {"moment": "A time as ISO 8601 is needed, from 1970 on."}

    def to_internal_value(self, data: Any) -> datetime:
        if not (isinstance(data, str) and data.isascii()):
            self.fail("moment")
        try:
            value: datetime = super().to_internal_value(data).astimezone(UTC)
        except OverflowError:
            self.fail("moment")
        if not _FIRST <= value <= _LAST:
            self.fail("moment")
        return value


class TextField(serializers.CharField):
    """A JSON string; a number is not one. Blanks around it are taken off unless it is a secret."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
