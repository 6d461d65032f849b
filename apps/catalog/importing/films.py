"""Rows of films, and what else files say of them by their ids at TMDB."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from apps.catalog.genre_names import common_names
from apps.catalog.graph import COUNTRY, SERIES
from apps.catalog.importing import values
from apps.catalog.importing.columns import key_columns, map_columns
from apps.catalog.importing.people import credits_of, named_credits
from apps.catalog.models import MoviePerson
from apps.catalog.records import Credit, FilmRecord, Link
from apps.catalog.titles import MAX_TITLE, split_year
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.places import Place
from apps.core.importing.tables import Row, read_header, read_table

T = TypeVar("T")


@dataclass(frozen=True)
class FilmRow:
    """All that one row, or one answer of TMDB, says of a film."""

    line: int
    record: FilmRecord
    keywords: tuple[str, ...] = ()
    credits: tuple[Credit, ...] = ()
    links: tuple[Link, ...] = ()
    is_adult: bool = False


class CreditsRow(NamedTuple):
    tmdb_id: int
    credits: list[Credit]


class KeywordsRow(NamedTuple):
    tmdb_id: int
    keywords: list[str]


@dataclass(frozen=True)
class _Fields:
    """One row by meaning. What is blank or missing is None; what cannot be read is a bad line."""

    file: str
    line: int
    row: Row
    seats: Mapping[str, int]

    def text(self, name: str) -> str:
        seat = self.seats.get(name)
        return "" if seat is None else self.row[seat].strip()

    def value(self, name: str, parse: Callable[[str], T]) -> T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse(text)
        except ValueError as error:
            raise bad_line(self.file, self.line, f"{error} as {name}", text) from None


def read_films(place: Place, file: str, bad: BadLines) -> Iterator[FilmRow]:
    header = read_header(place, file)
    seats = map_columns(file, header)
    rows = read_table(place, file, header, bad)
    return parse_each(rows, lambda line, row: _film(_Fields(file, line, row, seats)), bad)


def read_credits(place: Place, file: str, bad: BadLines) -> Iterator[CreditsRow]:
    header = read_header(place, file)
    seats = key_columns(file, header, "cast", "crew")

    def parse(line: int, row: Row) -> CreditsRow:
        fields = _Fields(file, line, row, seats)
        cast, crew = fields.value("cast", values.structure), fields.value("crew", values.structure)
        try:
            return CreditsRow(_tmdb_id(fields), credits_of(cast or [], crew or []))
        except ValueError as error:
            raise bad_line(file, line, f"{error} as cast and crew") from None

    return parse_each(read_table(place, file, header, bad), parse, bad)


def read_keywords(place: Place, file: str, bad: BadLines) -> Iterator[KeywordsRow]:
    header = read_header(place, file)
    seats = key_columns(file, header, "keywords")

    def parse(line: int, row: Row) -> KeywordsRow:
        fields = _Fields(file, line, row, seats)
        return KeywordsRow(_tmdb_id(fields), fields.value("keywords", values.keywords) or [])

    return parse_each(read_table(place, file, header, bad), parse, bad)


def countries_of(entries: list[Any]) -> list[Link]:
    """TMDB's ``production_countries``."""
    found = [
        Link("country", f"{COUNTRY}:{entry['iso_3166_1']}", COUNTRY, str(entry.get("name", "")))
        for entry in entries
        if isinstance(entry, dict) and entry.get("iso_3166_1")
    ]
    return [link for link in found if len(link.key) <= 20]


def series_of(entries: list[Any]) -> list[Link]:
    """TMDB's ``belongs_to_collection``, in a list."""
    return [
        Link("series", f"tmdb-collection:{entry['id']}", SERIES, str(entry.get("name", "")))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), int)
    ]


def _tmdb_id(fields: _Fields) -> int:
    found = fields.value("tmdb_id", values.tmdb_id)
    if found is None:
        raise bad_line(fields.file, fields.line, "an id at TMDB", "")
    return found


def _film(fields: _Fields) -> FilmRow:
    record = _record(fields)
    if record.year is None and not record.has_id:
        raise bad_line(fields.file, fields.line, "a year or an id beside the title", record.title)
    return FilmRow(
        fields.line,
        record,
        keywords=tuple(fields.value("keywords", values.keywords) or ()),
        credits=tuple(_credits(fields)),
        links=(
            *countries_of(fields.value("countries", _entries) or []),
            *series_of(fields.value("series", _entries) or []),
        ),
        is_adult=fields.text("adult").lower() in {"true", "1"},
    )


def _record(fields: _Fields) -> FilmRecord:
    title, year = split_year(" ".join(fields.text("title").split()))
    if not title:
        raise bad_line(fields.file, fields.line, "a title", fields.text("title"))
    original = " ".join(fields.text("original_title").split())
    return FilmRecord(
        title=title[:MAX_TITLE],
        original_title="" if original == title else original[:MAX_TITLE],
        year=fields.value("year", values.year) or fields.value("release_date", values.year) or year,
        genres=common_names(fields.value("genres", values.genres) or ()),
        tmdb_id=fields.value("tmdb_id", values.tmdb_id),
        imdb_id=fields.value("imdb_id", values.imdb_id),
        overview=values.overview(fields.text("overview")),
        language=fields.value("language", values.language) or "",
        runtime=fields.value("runtime", values.minutes),
        poster_path=values.poster_path(fields.text("poster_path")),
        tmdb_vote_average=fields.value("vote_average", values.vote_average),
        tmdb_vote_count=fields.value("vote_count", values.whole),
    )


def _credits(fields: _Fields) -> Iterator[Credit]:
    """People of the row itself, by their names."""
    for name in ("director", "writer", "cast"):
        yield from named_credits(fields.value(name, values.names) or (), MoviePerson.Role(name))


def _entries(text: str) -> list[Any]:
    """Only TMDB's own lists say what their entries are; plain names are left."""
    return values.structure(text) if text[0] in "[{" else []
