"""Data sets that nobody means well by: each importer of staff refuses or skips, in little memory."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.models import Entity, Movie
from apps.core.management.base import Refused
from apps.ratings.models import Rating

pytestmark = pytest.mark.django_db

MB = 2**20
SIZE = 16 * MB
# Of what Python holds at most while it reads 16 MB of nonsense.
PEAK = 12 * MB

CSV = {"movies.csv": b"movieId,title,genres\n1,Alien (1979),Horror\n"}
DAT = {"movies.dat": b"1::Alien (1979)::Horror\n"}
OLD = {
    "u.genre": b"".join(b"Genre %d|%d\n" % (number, number) for number in range(19)),
    "u.item": b"1|Alien (1979)|01-Jan-1979||http://example.org" + b"|1" + b"|0" * 18 + b"\n",
}
LINK = {"ml-tiny.link": b"item_id:token\tentity_id:token\n1\tm.0alien\n"}
# By importer: its command, files that are as they should be, the file that is not, and its first line.
IMPORTERS: dict[str, tuple[str, dict[str, bytes], str, bytes]] = {
    "ratings.csv": ("load_movielens", CSV, "ratings.csv", b"userId,movieId,rating,timestamp\n"),
    "ratings.dat": ("load_movielens", DAT, "ratings.dat", b""),
    "u.data": ("load_movielens", OLD, "u.data", b""),
    "films": ("load_tmdb", {}, "films.csv", b"title,year\n"),
    "graph": ("load_knowledge_graph", LINK, "ml-tiny.kg", b"head_id\trelation_id\ttail_id\n"),
}
# What may stand below the first line; none of it ends, or all of it is one row.
BOMBS = {
    "one endless line": b"x" * SIZE,
    "a million columns": b",\t|:" * (SIZE // 4),
    "a quote that is never closed": b'1,"' + (b"x" * 9_999 + b"\n") * (SIZE // 10_000),
    "a million quotes": b'""' * (SIZE // 2),
    "NUL": b"\0" * SIZE,
}
EACH_IMPORTER = pytest.mark.parametrize("importer", IMPORTERS)


def write(folder: Path, importer: str, tail: bytes) -> Path:
    """A folder, or for a table of films the file itself."""
    _, files, name, header = IMPORTERS[importer]
    for good, text in files.items():
        (folder / good).write_bytes(text)
    (folder / name).write_bytes(header + tail)
    return folder / name if importer == "films" else folder


def load(importer: str, place: Path, *options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(IMPORTERS[importer][0], str(place), "--json", *options, stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


@EACH_IMPORTER
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_fills_memory_is_refused_or_skipped(importer: str, bomb: str, tmp_path: Path) -> None:
    place = write(tmp_path, importer, BOMBS[bomb])
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match=IMPORTERS[importer][2]) as refused:
            load(importer, place)
        assert "line " in str(refused.value)
        report = load(importer, place, "--skip-bad")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report["bad_lines"]["count"] >= 1
    assert 1 <= len(report["bad_lines"]["listed"]) <= 100
    assert peak < PEAK, f"{peak / MB:.0f} MB"
    assert not Rating.objects.exists()


@EACH_IMPORTER
def test_a_zip_that_grows_beyond_measure_is_refused_unread(importer: str, tmp_path: Path) -> None:
    _, files, name, header = IMPORTERS[importer]
    archive = tmp_path / "ml-tiny.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as held:
        for good, text in (files | {name: header + b"\n" * SIZE}).items():
            held.writestr(f"ml-tiny/{good}", text)
    with pytest.raises(
        Refused, match=f"^{name} in ml-tiny.zip would grow to {SIZE + len(header)} bytes from "
    ):
        load(importer, archive)
    assert not Movie.objects.exists()
    assert not Entity.objects.exists()


@EACH_IMPORTER
def test_a_zip_within_a_zip_is_not_opened(importer: str, tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as held:
        held.writestr("ml-tiny/movies.csv", CSV["movies.csv"])
    archive = tmp_path / "ml-tiny.zip"
    with zipfile.ZipFile(archive, "w") as held:
        held.writestr("ml-tiny/ml-tiny.zip", inner.getvalue())
    with pytest.raises(Refused, match=r"ml-tiny\.zip"):
        load(importer, archive)
    assert not Movie.objects.exists()
