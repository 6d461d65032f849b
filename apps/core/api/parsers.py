from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from apps.core.api.json import decode
from apps.core.errors import TooLarge


class StrictJSONParser(BaseParser):
    """JSON only, and only JSON that every database and every client can hold.

    The framework reads a body past Django's own limit on its length, so the limit is kept here.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"A body has at most {limit:,} bytes")
        return decode(body) if body.strip() else {}
