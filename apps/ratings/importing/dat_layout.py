"""The layout of ml-1m and ml-10m: movies.dat, ratings.dat, with users.dat or tags.dat, parted by ``::``."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from apps.catalog.titles import split_year
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.lines import read_lines
from apps.ratings.importing import checks
from apps.ratings.importing.place_source import PlaceSource
from apps.ratings.importing.records import FilmLine, PersonLine, RatingLine, TagLine

Line = TypeVar("Line")
SIGN = "::"


class DatSource(PlaceSource):
    """ml-1m is in Latin-1 and ml-10m in UTF-8. A title or a tag may hold ``::`` itself."""

    films_file = "movies.dat"
    people_file = "users.dat"
    ratings_file = "ratings.dat"
    tags_file = "tags.dat"
    needed = frozenset({films_file, ratings_file})

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        return self._read(self.films_file, self._film, bad)

    def people(self, bad: BadLines) -> Iterator[PersonLine]:
        if self.people_file in self.held:
            yield from self._read(self.people_file, self._person, bad)

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        return self._read(self.ratings_file, self._rating, bad)

    def tags(self, bad: BadLines) -> Iterator[TagLine]:
        if self.tags_file in self.held:
            yield from self._read(self.tags_file, self._tag, bad)

    def _read(self, file: str, parse: Callable[[int, str], Line], bad: BadLines) -> Iterator[Line]:
        return parse_each(read_lines(self.place, file, bad, latin=True), parse, bad)

    def _film(self, line: int, text: str) -> FilmLine:
        file = self.films_file
        film, _, rest = text.partition(SIGN)
        name, _, genres = rest.rpartition(SIGN)
        title, year = split_year(name)
        if not title:
            raise bad_line(file, line, "MovieID::Title::Genres", text)
        return FilmLine(
            line, checks.number(film, file, line, "MovieID"), title, year, checks.genres(genres, file, line)
        )

    def _person(self, line: int, text: str) -> PersonLine:
        fields = text.split(SIGN)
        if len(fields) != 5:
            raise bad_line(self.people_file, line, "UserID::Gender::Age::Occupation::Zip-code", text)
        return PersonLine(line, checks.number(fields[0], self.people_file, line, "UserID"))

    def _rating(self, line: int, text: str) -> RatingLine:
        file = self.ratings_file
        fields = text.split(SIGN)
        if len(fields) != 4:
            raise bad_line(file, line, "UserID::MovieID::Rating::Timestamp", text)
        return RatingLine(
            line,
            checks.number(fields[0], file, line, "UserID"),
            checks.number(fields[1], file, line, "MovieID"),
            checks.stars(fields[2], file, line),
            checks.seconds(fields[3], file, line),
        )

    def _tag(self, line: int, text: str) -> TagLine:
        file = self.tags_file
        person, _, rest = text.partition(SIGN)
        film, _, rest = rest.partition(SIGN)
        tag, sign, at = rest.rpartition(SIGN)
        if not sign:
            raise bad_line(file, line, "UserID::MovieID::Tag::Timestamp", text)
        checks.seconds(at, file, line)
        return TagLine(
            line,
            checks.number(person, file, line, "UserID"),
            checks.number(film, file, line, "MovieID"),
            tag,
        )
