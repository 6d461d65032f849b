"""RecBole's layout: NAME.inter and NAME.item, parted by tabs, with typed headers.

Of films as MovieLens describes them: RecBole's own copy of ml-100k is one, and its knowledge graph
speaks of the same ids.
"""

from collections.abc import Iterator, Set
from pathlib import PurePath

from apps.catalog.genre_names import common_names
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.lines import read_typed_rows
from apps.core.importing.places import Place
from apps.ratings.importing import checks
from apps.ratings.importing.place_source import PlaceSource
from apps.ratings.importing.records import FilmLine, RatingLine

RATINGS, FILMS = ".inter", ".item"
# The second is how RecBole's copy of ml-100k spells it.
_NAMELESS = {"unknown", "unkonwn"}


class RecBoleSource(PlaceSource):
    """Ids of films are the data set's own: ``ml-100k:246`` of ml-100k.item."""

    needed = frozenset({"NAME.inter", "NAME.item"})

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place, name)
        (stem,) = _stems(self.held)
        self.film_keys = f"{stem}:"
        self.films_file, self.ratings_file = f"{stem}{FILMS}", f"{stem}{RATINGS}"

    @classmethod
    def fits(cls, names: Set[str]) -> bool:
        return len(_stems(names)) == 1

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        columns = ("item_id", "movie_title", "release_year", "class")
        return parse_each(read_typed_rows(self.place, self.films_file, columns, bad), self._film, bad)

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        columns = ("user_id", "item_id", "rating", "timestamp")
        return parse_each(read_typed_rows(self.place, self.ratings_file, columns, bad), self._rating, bad)

    def _film(self, line: int, fields: list[str]) -> FilmLine:
        film, title, year, genres = fields
        # RecBole took the end of a title for its year: a word there ("V", for video) is no year.
        known = bool(year) and not year.isalpha()
        if known and not (year.isascii() and year.isdigit() and len(year) == 4):
            raise bad_line(self.films_file, line, "a release_year of four digits, or none", year)
        return FilmLine(
            line,
            checks.number(film, self.films_file, line, "item_id"),
            "" if title in _NAMELESS else title,
            int(year) if known else None,
            common_names(genre for genre in genres.split() if genre not in _NAMELESS),
        )

    def _rating(self, line: int, fields: list[str]) -> RatingLine:
        person, film, stars, at = fields
        file = self.ratings_file
        return RatingLine(
            line,
            checks.number(person, file, line, "user_id"),
            checks.number(film, file, line, "item_id"),
            checks.stars(stars.removesuffix(".0"), file, line),
            checks.seconds(at.removesuffix(".0"), file, line),
        )


def _stems(names: Set[str]) -> list[str]:
    """Names of the data sets that are there with both files."""
    rated = {PurePath(name).stem for name in names if name.endswith(RATINGS)}
    return sorted(rated & {PurePath(name).stem for name in names if name.endswith(FILMS)})
