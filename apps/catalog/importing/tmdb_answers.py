"""What an answer of TMDB says of a film."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from apps.catalog.genre_names import common_names
from apps.catalog.importing import values
from apps.catalog.importing.films import FilmRow, countries_of, series_of
from apps.catalog.importing.people import credits_of
from apps.catalog.models import Movie
from apps.catalog.records import FilmRecord
from apps.catalog.titles import MAX_TITLE, normalise

T = TypeVar("T")


def film_of(answer: Mapping[str, Any]) -> FilmRow:
    """Raises ``ValueError`` with what was expected and is not there."""
    title, original = _text(answer, "title"), _text(answer, "original_title")
    if not title:
        raise ValueError("a title")
    record = FilmRecord(
        title=title[:MAX_TITLE],
        original_title="" if original == title else original[:MAX_TITLE],
        year=_value(answer, "release_date", values.year),
        genres=common_names(_names(answer.get("genres"))),
        tmdb_id=_value(answer, "id", values.tmdb_id),
        imdb_id=_value(answer, "imdb_id", values.imdb_id),
        overview=values.overview(_text(answer, "overview")),
        language=_value(answer, "original_language", values.language) or "",
        runtime=_value(answer, "runtime", values.minutes),
        poster_path=values.poster_path(_text(answer, "poster_path")),
        tmdb_vote_average=_value(answer, "vote_average", values.vote_average),
        tmdb_vote_count=_value(answer, "vote_count", values.whole),
    )
    people, words = _part(answer, "credits"), _part(answer, "keywords")
    series = answer.get("belongs_to_collection")
    return FilmRow(
        0,
        record,
        keywords=tuple(
            name.lower() for name in _names(words.get("keywords")) if len(name) <= values.MAX_KEYWORD
        ),
        credits=tuple(credits_of(_entries(people.get("cast")), _entries(people.get("crew")))),
        links=(*countries_of(_entries(answer.get("production_countries"))), *series_of([series])),
    )


def choose(movie: Movie, results: Iterable[Any]) -> list[int]:
    """Ids of the results of a search that have the film's title, of its year; else of one beside it.

    One is the film; several are for people to choose from.
    """
    wanted = {normalise(name) for name in (movie.title, *movie.original_title.split(" / ")) if name}
    apart: dict[int, list[int]] = {0: [], 1: []}
    for entry in results:
        if isinstance(entry, dict) and isinstance(entry.get("id"), int):
            names = {normalise(_text(entry, "title")), normalise(_text(entry, "original_title"))} - {""}
            years = abs((_year(entry) or 0) - (movie.year or 0))
            if names & wanted and years in apart:
                apart[years].append(entry["id"])
    return apart[0] or apart[1]


def _year(entry: Mapping[str, Any]) -> int | None:
    try:
        return _value(entry, "release_date", values.year)
    except ValueError:
        return None


def _value(answer: Mapping[str, Any], name: str, parse: Callable[[str], T]) -> T | None:
    """None where TMDB has null or nothing; numbers are read as the text that a file would have."""
    raw = answer.get(name)
    text = "" if raw is None else str(raw).strip()
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise ValueError(f"{error} as {name}") from None


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value.strip() if isinstance(value, str) else ""


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    found = [entry.get("name") for entry in _entries(value) if isinstance(entry, dict)]
    return [" ".join(name.split()) for name in found if isinstance(name, str) and name.strip()]
