"""What was sent: one file, or the files of a zip that say something of films. Nothing is unpacked to disk."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from apps.core.errors import InvalidInput, TooLarge

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 20 * 2**20
# Ratings shrink to a tenth at best; what shrinks to a hundredth was made to fill memory.
MAX_RATIO = 100
MAX_NAME = 100

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Paths in the exports of Letterboxd, Marquee and (now and formerly) Trakt. Letterboxd's has more files
# of these names in folders: what was deleted, and what others wrote.
_WANTED = re.compile(
    r"(?:ratings|diary|watchlist)\.csv"
    r"|(?:ratings|favorites|watchlist|thumbs|dismissals|unseen)\.json"
    r"|ratings-movies\.json|lists-watchlist(?:-[0-9]{1,3})?\.json"
    r"|ratings/ratings-movies\.json|lists/watchlist\.json"
)


@dataclass(frozen=True)
class Member:
    """One file to be read. ``name`` is without its folders."""

    name: str
    data: bytes


class SentFile(Protocol):
    """What a form or a request brings; ``size`` is what was sent, of which not all may be kept."""

    @property
    def size(self) -> int | None: ...

    def read(self) -> bytes: ...


def content_of(file: SentFile) -> bytes:
    """All of it, or ``TooLarge``."""
    limit = settings.MAX_UPLOAD_BYTES
    if (file.size or 0) > limit:
        raise TooLarge(f"A file has at most {limit // 2**20} MB, and this one has more")
    return file.read()


def open_upload(name: str, data: bytes) -> list[Member]:
    """The file itself, or those of a zip that are wanted, in the order of their names."""
    if not data.startswith(_ZIP):
        return [Member(name, data)]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(name, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise InvalidInput(f"{name} is not a zip that can be read: {error}") from None


def plain_name(name: str) -> str:
    """A file's name without folders and without what no terminal or page should print."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[-MAX_NAME:].strip() or "file"


def _members(name: str, archive: zipfile.ZipFile) -> list[Member]:
    listed = archive.infolist()
    if len(listed) > MAX_MEMBERS:
        raise InvalidInput(f"{name} holds {len(listed)} files: expected at most {MAX_MEMBERS}")
    wanted = _wanted(listed)
    if not wanted:
        raise InvalidInput(
            f"{name} holds no file that we know: expected the export of Letterboxd, Trakt or Marquee"
        )
    for member in wanted.values():
        _require_harmless(name, member)
    if sum(member.file_size for member in wanted.values()) > MAX_UNPACKED_BYTES:
        raise TooLarge(f"{name} unpacks to more than 20 MB")
    return [Member(_base(path), _read(archive, wanted[path])) for path in sorted(wanted)]


def _wanted(listed: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """By path below the one folder that may hold everything. Marquee's own files come as JSON and as
    CSV: the JSON says the same without a spreadsheet's apostrophes.
    """
    folder = _common_folder([member.filename for member in listed])
    found: dict[str, zipfile.ZipInfo] = {}
    for member in listed:
        path = member.filename.removeprefix(folder)
        if _WANTED.fullmatch(path):
            if path in found:
                raise InvalidInput(f"The zip holds {path} twice")
            found[path] = member
    return {
        path: one
        for path, one in found.items()
        if path.replace(".csv", ".json") not in found or ".csv" not in path
    }


def _common_folder(names: list[str]) -> str:
    kept = [name for name in names if not name.startswith("__MACOSX/")]
    folders = {name.partition("/")[0] + "/" if "/" in name else "" for name in kept}
    return folders.pop() if len(folders) == 1 else ""


def _require_harmless(name: str, member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1:
        raise InvalidInput(f"{member.filename} in {name} is encrypted")
    if member.compress_type not in _METHODS:
        raise InvalidInput(f"{member.filename} in {name} is packed in a way that we do not read")
    if member.file_size > MAX_RATIO * (member.compress_size + 1024):
        raise TooLarge(
            f"{member.filename} in {name} would grow from {member.compress_size} bytes to {member.file_size}"
        )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """No more than was declared, whatever the stream holds."""
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise zipfile.BadZipFile(f"{member.filename} is not as long as it says")
    return data


def _base(path: str) -> str:
    return path.rpartition("/")[2]
