"""Which layout a place has."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.core.importing.downloading import MAX_BYTES, Progress, downloaded, is_url
from apps.core.importing.places import open_place
from apps.ratings.importing.csv_layout import CsvSource
from apps.ratings.importing.dat_layout import DatSource
from apps.ratings.importing.demo import DemoSource
from apps.ratings.importing.place_source import PlaceSource
from apps.ratings.importing.recbole_layout import RecBoleSource
from apps.ratings.importing.records import Source
from apps.ratings.importing.tab_layout import TabSource

DEMO = "demo"
LAYOUTS: tuple[type[PlaceSource], ...] = (CsvSource, DatSource, TabSource, RecBoleSource)
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")


@contextmanager
def open_source(
    place: str, name: str | None = None, *, progress: Progress, max_bytes: int = MAX_BYTES
) -> Iterator[Source]:
    """The data set at ``place``: "demo", a folder, a zip, or a zip's URL, which is fetched for the block.

    ``name`` marks the people that it brings; by default that of the folder or zip without "ml-".
    """
    if place == DEMO:
        yield DemoSource()
    elif is_url(place):
        with downloaded(place, progress=progress, max_bytes=max_bytes) as file:
            yield _source_at(file, place, name)
    else:
        path = Path(place).expanduser()
        if not path.exists():
            raise InvalidInput(f"There is no folder or file {place}; give demo, a folder, a zip or a URL")
        yield _source_at(path, place, name)


def _source_at(path: Path, place: str, name: str | None) -> PlaceSource:
    files = open_place(path)
    for layout in LAYOUTS:
        if layout.fits(files.names()):
            return layout(files, _source_name(name or path.resolve().stem))
    pairs = ", nor ".join(" and ".join(sorted(layout.needed)) for layout in LAYOUTS)
    raise InvalidInput(f"{place} holds no {pairs}")


def _source_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.").removeprefix("ml-")
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{text!r} cannot name the people of a data set: give another with --name")
    return name
