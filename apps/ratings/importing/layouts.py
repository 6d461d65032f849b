"""Which layout a place has."""

import re
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.ratings.importing.csv_layout import NEEDED, CsvSource
from apps.ratings.importing.demo import DemoSource
from apps.ratings.importing.files import Folder, Zip
from apps.ratings.importing.records import Source

DEMO = "demo"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")


def open_source(place: str, name: str | None = None) -> Source:
    """The data set at ``place``: "demo", a folder, or a zip.

    ``name`` marks the people that it brings; by default that of the folder or zip without "ml-".
    """
    if place == DEMO:
        return DemoSource()
    path = Path(place).expanduser()
    if not path.exists():
        raise InvalidInput(f"There is no folder or file {place}; give demo, a folder or a zip")
    files = Folder(path) if path.is_dir() else Zip(path)
    if files.names() >= NEEDED:
        return CsvSource(files, _source_name(name or path.resolve().stem))
    raise InvalidInput(f"{place} holds no {' and '.join(sorted(NEEDED))}; other layouts are not read")


def _source_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.").removeprefix("ml-")
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{text!r} cannot name the people of a data set: give another with --name")
    return name
