"""The layout of ml-100k: u.data parted by tabs, u.item and u.user by bars, in Latin-1."""

from collections.abc import Iterator

from apps.catalog.genre_names import common_names
from apps.catalog.titles import split_year
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.lines import read_lines
from apps.ratings.importing import checks
from apps.ratings.importing.place_source import PlaceSource
from apps.ratings.importing.records import FilmLine, PersonLine, RatingLine

GENRES = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir "
    "Horror Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
_FLAGS = {"0", "1"}
_NAMELESS = "unknown"


class TabSource(PlaceSource):
    """Its ids of films are its own and not those of MovieLens's later sets, and name 18 films twice.

    One film is called "unknown": it is kept, hidden, for the sake of its ratings.
    """

    film_keys = "ml-100k:"
    films_file = "u.item"
    people_file = "u.user"
    ratings_file = "u.data"
    needed = frozenset({films_file, ratings_file})

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        lines = read_lines(self.place, self.films_file, bad, latin=True)
        return parse_each(lines, self._film, bad)

    def people(self, bad: BadLines) -> Iterator[PersonLine]:
        if self.people_file in self.held:
            lines = read_lines(self.place, self.people_file, bad, latin=True)
            yield from parse_each(lines, self._person, bad)

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        lines = read_lines(self.place, self.ratings_file, bad, latin=True)
        return parse_each(lines, self._rating, bad)

    def _film(self, line: int, text: str) -> FilmLine:
        file = self.films_file
        fields = text.split("|")
        if len(fields) != 5 + len(GENRES):
            raise bad_line(file, line, f"{5 + len(GENRES)} fields parted by |", text)
        film, name, released, _, _, *flags = fields
        if not set(flags) <= _FLAGS:
            raise bad_line(file, line, f"{len(GENRES)} genre flags, each 0 or 1", "|".join(flags))
        title, year = split_year(name)
        if not title:
            raise bad_line(file, line, "a title", name)
        genres = [genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1"]
        return FilmLine(
            line,
            checks.number(film, file, line, "movie id"),
            "" if title == _NAMELESS else title,
            year or _year(released),
            common_names(genre for genre in genres if genre != GENRES[0]),
        )

    def _person(self, line: int, text: str) -> PersonLine:
        fields = text.split("|")
        if len(fields) != 5:
            raise bad_line(self.people_file, line, "user id|age|gender|occupation|zip code", text)
        return PersonLine(line, checks.number(fields[0], self.people_file, line, "user id"))

    def _rating(self, line: int, text: str) -> RatingLine:
        file = self.ratings_file
        fields = text.split("\t")
        if len(fields) != 4:
            raise bad_line(file, line, "user id, item id, rating and timestamp parted by tabs", text)
        return RatingLine(
            line,
            checks.number(fields[0], file, line, "user id"),
            checks.number(fields[1], file, line, "item id"),
            checks.stars(fields[2], file, line),
            checks.seconds(fields[3], file, line),
        )


def _year(released: str) -> int | None:
    """Out of "01-Jan-1995"."""
    return split_year(f"_ ({released[-4:]})")[1]
