"""The layout of ml-latest, small, 20m, 25m and 32m: movies.csv, ratings.csv, links.csv, tags.csv."""

from collections.abc import Iterator

from apps.catalog.titles import split_year
from apps.core.importing.bad_lines import BadLines, bad_line, parse_each
from apps.core.importing.lines import read_rows
from apps.ratings.importing import checks
from apps.ratings.importing.place_source import PlaceSource
from apps.ratings.importing.records import FilmLine, LinkLine, RatingLine, TagLine


class CsvSource(PlaceSource):
    """links.csv and tags.csv may be missing; the tag genome is not read."""

    films_file = "movies.csv"
    links_file = "links.csv"
    ratings_file = "ratings.csv"
    tags_file = "tags.csv"
    needed = frozenset({films_file, ratings_file})

    def films(self, bad: BadLines) -> Iterator[FilmLine]:
        rows = read_rows(self.place, self.films_file, "movieId,title,genres", bad)
        return parse_each(rows, self._film, bad)

    def links(self, bad: BadLines) -> Iterator[LinkLine]:
        if self.links_file in self.held:
            rows = read_rows(self.place, self.links_file, "movieId,imdbId,tmdbId", bad)
            yield from parse_each(rows, self._link, bad)

    def ratings(self, bad: BadLines) -> Iterator[RatingLine]:
        rows = read_rows(self.place, self.ratings_file, "userId,movieId,rating,timestamp", bad)
        return parse_each(rows, self._rating, bad)

    def tags(self, bad: BadLines) -> Iterator[TagLine]:
        if self.tags_file in self.held:
            rows = read_rows(self.place, self.tags_file, "userId,movieId,tag,timestamp", bad)
            yield from parse_each(rows, self._tag, bad)

    def _film(self, line: int, row: list[str]) -> FilmLine:
        film, text, genres = row
        title, year = split_year(text)
        if not title:
            raise bad_line(self.films_file, line, "a title", text)
        return FilmLine(
            line,
            checks.number(film, self.films_file, line, "movieId"),
            title,
            year,
            checks.genres(genres, self.films_file, line),
        )

    def _link(self, line: int, row: list[str]) -> LinkLine:
        file = self.links_file
        film, imdb, tmdb = row
        return LinkLine(
            line,
            checks.number(film, file, line, "movieId"),
            f"tt{checks.number(imdb, file, line, 'imdbId'):07}" if imdb else None,
            checks.number(tmdb, file, line, "tmdbId") if tmdb else None,
        )

    def _rating(self, line: int, row: list[str]) -> RatingLine:
        file = self.ratings_file
        return RatingLine(
            line,
            checks.number(row[0], file, line, "userId"),
            checks.number(row[1], file, line, "movieId"),
            checks.stars(row[2], file, line),
            checks.seconds(row[3], file, line),
        )

    def _tag(self, line: int, row: list[str]) -> TagLine:
        file = self.tags_file
        checks.seconds(row[3], file, line)
        return TagLine(
            line,
            checks.number(row[0], file, line, "userId"),
            checks.number(row[1], file, line, "movieId"),
            row[2],
        )
