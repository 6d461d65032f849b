"""Which of our films an entry means: by ids, else by title and year."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.catalog.models import Movie
from apps.catalog.titles import display_title, search_title, split_year
from apps.ratings.imports.entries import Entry

NOT_FOUND = "no film of this title and year"
NO_YEAR = "the file gives no year"
NO_SUCH_ID = "no film of this id, and no title"
AMBIGUOUS = "several films have this title and year"
_BATCH = 500
# How an id is named in an entry and in the catalogue, the one to trust most first.
_IDS = {"imdb": "imdb_id", "tmdb": "tmdb_id", "movielens": "movielens_id"}


@dataclass(frozen=True)
class Film:
    """``names`` are normalised: title, title without its article, and the other titles."""

    pk: int
    title: str
    year: int | None
    names: tuple[str, ...]
    ids: Mapping[str, int | str | None]


@dataclass(frozen=True)
class Match:
    """A film's id, or why there is none."""

    movie_id: int | None
    why: str = ""


def match_films(entries: Sequence[Entry]) -> list[Match]:
    """One for each entry. Films that are hidden are not found.

    An id decides alone. A title needs its year; a year beside it does when only one film has it.
    """
    by_id = _FilmsById(entries)
    found = [by_id.find(entry) for entry in entries]
    missing = [entry for entry, film in zip(entries, found, strict=True) if film is None]
    by_title = _FilmsByTitle(missing)
    return [
        by_title.find(entry) if film is None else Match(film.pk)
        for entry, film in zip(entries, found, strict=True)
    ]


def _titles(entry: Entry) -> tuple[tuple[str, ...], int | None]:
    """Normalised names, the likeliest first, and the year, which may stand behind the title."""
    title, year = split_year(entry.title)
    shown = display_title(title)
    return names_of(search_title(shown.title, shown.original)), entry.year or year


def names_of(searched: str) -> tuple[str, ...]:
    """The titles between the bars of ``search_title``."""
    return tuple(name for part in searched.split("|")[1:] if (name := part.strip()))


class _FilmsById:
    """The films that any entry names by an id. At most one query for each 500 ids."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        wanted: dict[str, set[Any]] = defaultdict(set)
        for entry in entries:
            for name, value in entry.ids.as_json().items():
                wanted[_IDS[name]].add(value)
            if entry.ids.movie is not None:
                wanted["pk"].add(entry.ids.movie)
        self._films = {column: _by_column(column, values) for column, values in wanted.items()}

    def find(self, entry: Entry) -> Film | None:
        own = self._films.get("pk", {}).get(entry.ids.movie)
        if own is not None and _is_same(own, entry):
            return own
        for name, value in entry.ids.as_json().items():
            film = self._films[_IDS[name]].get(value)
            if film is not None:
                return film
        return None


def _is_same(film: Film, entry: Entry) -> bool:
    """Our own ids mean something on the site alone that gave them: the title must agree."""
    if film.title.strip() == entry.title.strip():
        return film.year == entry.year
    names, year = _titles(entry)
    return film.year == year and not set(names).isdisjoint(film.names)


def _by_column(column: str, values: set[Any]) -> dict[Any, Film]:
    found = {}
    ordered = sorted(values)
    for start in range(0, len(ordered), _BATCH):
        rows = Movie.objects.available().filter(**{f"{column}__in": ordered[start : start + _BATCH]})
        for film in _films(rows):
            found[film.pk if column == "pk" else film.ids[_name_of(column)]] = film
    return found


def _name_of(column: str) -> str:
    return next(name for name, ours in _IDS.items() if ours == column)


class _FilmsByTitle:
    """Films of the years that the entries speak of, by name and year. One query, if there are any."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._titles = {(entry.title, entry.year): _titles(entry) for entry in entries}
        years = {year for _, year in self._titles.values() if year is not None}
        near = {year + step for year in years for step in (-1, 0, 1)}
        self._films: dict[tuple[str, int | None], list[Film]] = defaultdict(list)
        for film in _films(Movie.objects.available().filter(year__in=near)) if near else ():
            for name in film.names:
                self._films[name, film.year].append(film)

    def find(self, entry: Entry) -> Match:
        """Of one of the entries that this was made for."""
        names, year = self._titles[entry.title, entry.year]
        if not names:
            return Match(None, NO_SUCH_ID)
        if year is None:
            return Match(None, NO_YEAR)
        for years in ([year], [year - 1, year + 1]):
            for name in names:
                films = self._candidates(entry, name, years)
                if films:
                    return _only(films, name)
        return Match(None, NOT_FOUND)

    def _candidates(self, entry: Entry, name: str, years: Iterable[int]) -> list[Film]:
        """Without films that have another id of a site than the entry has: they are others."""
        ids = entry.ids.as_json()
        return [
            film
            for year in years
            for film in self._films.get((name, year), ())
            if all(film.ids[site] in {None, value} for site, value in ids.items())
        ]


def _only(films: Sequence[Film], name: str) -> Match:
    """Of several, the one that has the name as its first title."""
    if len(films) > 1:
        films = [film for film in films if film.names[0] == name]
    return Match(films[0].pk) if len(films) == 1 else Match(None, AMBIGUOUS)


def _films(rows: Any) -> Iterator[Film]:
    columns = ("pk", "title", "year", "search_title", *_IDS.values())
    for pk, title, year, searched, *ids in rows.order_by("pk").values_list(*columns).iterator():
        yield Film(pk, title, year, names_of(searched), dict(zip(_IDS, ids, strict=True)))
