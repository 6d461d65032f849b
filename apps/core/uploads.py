"""Files in forms are kept in memory and only so far as any page takes them."""

import io
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class BoundedUploadHandler(FileUploadHandler):
    """Keeps no more than ``MAX_UPLOAD_BYTES`` of all files of a request; nothing touches the disk.

    A file that is larger is handed on cut off, with the size that it had: whoever takes files looks
    at the size first.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._left: int = settings.MAX_UPLOAD_BYTES
        self._parts = io.BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._parts = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._parts.write(raw_data[: self._left])
        self._left -= min(self._left, len(raw_data))

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._parts.seek(0)
        return InMemoryUploadedFile(
            self._parts,
            self.field_name,
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )
