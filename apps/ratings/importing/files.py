"""The files of a folder or a zip, line by line, within bounds."""

import csv
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from apps.core.errors import InvalidInput
from apps.ratings.importing.checks import refusal

MAX_LINE_BYTES = 65_536
MAX_FILE_BYTES = 8 * 2**30
# Ratings shrink to a fourth or fifth; a file that shrinks to a hundredth was made to fill disks.
MAX_ZIP_RATIO = 100
MAX_ZIP_DEPTH = 3


class Folder:
    """The files that lie directly in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> set[str]:
        return {entry.name for entry in self.path.iterdir() if entry.is_file()}

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        file = self.path / name
        if not stat.S_ISREG(file.stat().st_mode):
            raise InvalidInput(f"{name} is not a regular file")
        with file.open("rb") as stream:
            yield stream


class Zip:
    """The files of a zip, by their last names: official zips hold one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.members = _members(archive)
        except (zipfile.BadZipFile, OSError) as error:
            raise InvalidInput(f"{path.name} is not a zip that can be read: {error}") from error

    def names(self) -> set[str]:
        return set(self.members)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        member = self.members[name]
        if member.flag_bits & 1:
            raise InvalidInput(f"{name} in {self.path.name} is encrypted")
        if member.file_size > MAX_FILE_BYTES or member.file_size > MAX_ZIP_RATIO * (
            member.compress_size + 1024
        ):
            raise InvalidInput(
                f"{name} in {self.path.name} would grow to {member.file_size} bytes from "
                f"{member.compress_size}: that is no MovieLens file"
            )
        try:
            # zipfile reads no more than the size that was just checked.
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
                yield stream
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise InvalidInput(f"{name} in {self.path.name} cannot be read: {error}") from error


def read_rows(place: Folder | Zip, name: str, header: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of each row after the header, which must be exactly ``header``."""
    columns = header.split(",")
    with place.open(name) as stream:
        rows = csv.reader(_lines(stream, name), strict=True)
        line = 1
        try:
            first = next(rows, [])
            if first != columns:
                raise refusal(name, 1, f"the header {header}", ",".join(first))
            line = rows.line_num + 1
            for fields in rows:
                if len(fields) != len(columns):
                    raise refusal(name, line, f"{len(columns)} fields ({header})", ",".join(fields))
                yield line, fields
                line = rows.line_num + 1
        except csv.Error as error:
            raise InvalidInput(
                f"{name}, line {line}: expected CSV with quotes closed, but {error}"
            ) from error


def _lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Decoded lines. A byte order mark is dropped; NUL, endless lines and other than UTF-8 are refused."""
    line = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        line += 1
        if len(raw) > MAX_LINE_BYTES:
            raise InvalidInput(f"{name}, line {line}: expected at most {MAX_LINE_BYTES} bytes in a line")
        if b"\0" in raw:
            raise InvalidInput(f"{name}, line {line}: expected text, but found a NUL byte")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise InvalidInput(f"{name}, line {line}: expected UTF-8") from None
        yield text.removeprefix("\ufeff") if line == 1 else text


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir() or len(path.parts) > MAX_ZIP_DEPTH or path.parts[0] == "__MACOSX":
            continue
        if path.name in members:
            raise InvalidInput(f"The zip holds {path.name} twice")
        members[path.name] = member
    return members
