from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.core.api.json import decode


class StrictJSONParser(BaseParser):
    """JSON only, and only JSON that every database and every client can hold."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read()
        return decode(body) if body.strip() else {}
