"""A file from the web, within bounds."""

import http.client
import re
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from apps.core.errors import InvalidInput, Unavailable

Progress = Callable[[Iterable[Any], int | None, str], Iterator[Any]]

CHUNK = 2**20
MAX_BYTES = 2 * 2**30
TIMEOUT_SECONDS = 30
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


def is_url(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


@contextmanager
def downloaded(url: str, *, progress: Progress, max_bytes: int = MAX_BYTES) -> Iterator[Path]:
    """The file at ``url``, in a temporary folder that goes with the block, under the URL's last name."""
    name = Path(unquote(urlsplit(url).path)).name
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{url} does not end in a file's name")
    with tempfile.TemporaryDirectory(prefix="marquee-") as folder:
        file = Path(folder, name)
        try:
            _fetch(url, file, progress=progress, max_bytes=max_bytes)
        except urllib.error.HTTPError as error:
            raise Unavailable(f"{url} answers {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{url} cannot be fetched: {error}") from None
        yield file


def _fetch(url: str, file: Path, *, progress: Progress, max_bytes: int) -> None:
    with _opener().open(url, timeout=TIMEOUT_SECONDS) as answer, file.open("wb") as out:
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        if size is not None and size > max_bytes:
            raise _too_large(url, max_bytes)
        chunks = iter(lambda: answer.read(CHUNK), b"")
        held = 0
        for chunk in progress(chunks, size and -(-size // CHUNK), f"{file.name} (MiB)"):
            held += len(chunk)
            if held > max_bytes:
                raise _too_large(url, max_bytes)
            out.write(chunk)
    if size is not None and held != size:
        raise Unavailable(f"{url} broke off after {held} of {size} bytes")


def _too_large(url: str, max_bytes: int) -> InvalidInput:
    return InvalidInput(f"{url} is larger than {max_bytes} bytes; --max-mb allows more")


def _opener() -> urllib.request.OpenerDirector:
    """Knows HTTP alone, so that no redirection leads to a file or to FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
