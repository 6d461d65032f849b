"""Where files lie: a folder or a zip, never unpacked, within bounds."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from apps.core.errors import InvalidInput

MAX_FILE_BYTES = 8 * 2**30
# Ratings shrink to a fourth or fifth; a file that shrinks to a hundredth was made to fill disks.
MAX_ZIP_RATIO = 100
MAX_ZIP_DEPTH = 3
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError)


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
    """The files of a zip, by their last names: official zips hold one folder.

    Nothing is written to disk, so no path of the archive is ever used.
    """

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
                f"{member.compress_size}: that is no data set"
            )
        try:
            # zipfile reads no more than the size that was just checked.
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
                yield stream
        except _ZIP_ERRORS as error:
            raise InvalidInput(f"{name} in {self.path.name} cannot be read: {error}") from error


Place = Folder | Zip


def open_place(path: Path) -> Place:
    """The folder, or the zip, at a path that exists."""
    return Folder(path) if path.is_dir() else Zip(path)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir() or not 0 < len(path.parts) <= MAX_ZIP_DEPTH or path.parts[0] == "__MACOSX":
            continue
        if path.name in members:
            raise InvalidInput(f"The zip holds {path.name} twice")
        members[path.name] = member
    return members
