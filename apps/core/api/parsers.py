from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser, MultiPartParser

from apps.core.errors import TooLarge
from apps.core.json import decode


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


class UploadParser(MultiPartParser):
    """A form with a file; what is sent beyond the limit of files is not read at all."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # Room for the form around the file.
        limit = settings.MAX_UPLOAD_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        request = (parser_context or {})["request"]
        sent = request.META.get("CONTENT_LENGTH") or "0"
        if sent.isascii() and sent.isdigit() and int(sent) > limit:
            raise TooLarge(f"A body with a file has at most {limit:,} bytes")
        return super().parse(stream, media_type, parser_context)
