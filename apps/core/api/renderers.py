from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from apps.core.json import encode


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encode(data)


class CsvRenderer(JSONRenderer):
    """Lets a client ask for CSV by name; a refusal is JSON all the same."""

    media_type = "text/csv"
    format = "csv"
