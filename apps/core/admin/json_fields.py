"""JSON that staff type into a form, read as strictly as a body of the API."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput, JSONString

from apps.core.errors import InvalidInput
from apps.core.json import decode

# Python's own JSON, which writes the value back into the form, gives up at about a thousand.
MAX_LEVELS = 50


def read_json(text: str) -> Any:
    """The value of a JSON text, or ``ValidationError`` with a sentence for the field."""
    try:
        value = decode(text.encode(errors="surrogatepass"), name="This text")
    except InvalidInput as refusal:
        raise ValidationError(refusal.detail) from None
    if _has_more_levels(value, MAX_LEVELS):
        raise ValidationError(f"Lists and objects can be nested {MAX_LEVELS} levels deep, not more.")
    return value


class StrictJSONField(forms.JSONField):
    """Refuses what is no JSON, or nested too deep, with a sentence; the text stays to be corrected."""

    def to_python(self, value: Any) -> Any:
        if self.disabled or value in self.empty_values or not isinstance(value, str):
            return super().to_python(value)
        if isinstance(value, JSONString):
            return value
        read = read_json(value)
        return JSONString(read) if isinstance(read, str) else read

    def bound_data(self, data: Any, initial: Any) -> Any:
        if self.disabled or data is None:
            return super().bound_data(data, initial)
        try:
            return read_json(data)
        except ValidationError:
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if value is None:
            return ""
        return value if isinstance(value, InvalidJSONInput) else json.dumps(value, ensure_ascii=False)


def _has_more_levels(value: Any, levels: int) -> bool:
    row = [value]
    for _ in range(levels + 1):
        row = [
            inner
            for outer in row
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(row)
