"""The layout of ml-latest-small, 20m, 25m and 32m: movies.csv, ratings.csv, links.csv, tags.csv."""

from collections.abc import Iterator

from apps.catalog.titles import split_year
from apps.ratings.importing import checks
from apps.ratings.importing.files import Folder, Zip, read_rows
from apps.ratings.importing.records import FilmLine, LinkLine, RatingLine, TagLine

NEEDED = frozenset({"movies.csv", "ratings.csv"})


class CsvSource:
    """links.csv and tags.csv may be missing."""

    films_file = "movies.csv"
    links_file = "links.csv"
    ratings_file = "ratings.csv"
    tags_file = "tags.csv"
    n_ratings: int | None = None

    def __init__(self, place: Folder | Zip, name: str) -> None:
        self.place = place
        self.name = name

    def films(self) -> Iterator[FilmLine]:
        file = self.films_file
        for line, (film, text, genres) in read_rows(self.place, file, "movieId,title,genres"):
            title, year = split_year(text)
            if not title:
                raise checks.refusal(file, line, "a title", text)
            yield FilmLine(
                line,
                checks.number(film, file, line, "movieId"),
                title,
                year,
                checks.genres(genres, file, line),
            )

    def links(self) -> Iterator[LinkLine]:
        file = self.links_file
        if file not in self.place.names():
            return
        for line, (film, imdb, tmdb) in read_rows(self.place, file, "movieId,imdbId,tmdbId"):
            yield LinkLine(
                line,
                checks.number(film, file, line, "movieId"),
                f"tt{checks.number(imdb, file, line, 'imdbId'):07}" if imdb else None,
                checks.number(tmdb, file, line, "tmdbId") if tmdb else None,
            )

    def ratings(self) -> Iterator[RatingLine]:
        file = self.ratings_file
        rows = read_rows(self.place, file, "userId,movieId,rating,timestamp")
        for line, (person, film, stars, at) in rows:
            yield RatingLine(
                line,
                checks.number(person, file, line, "userId"),
                checks.number(film, file, line, "movieId"),
                checks.stars(stars, file, line),
                checks.seconds(at, file, line),
            )

    def tags(self) -> Iterator[TagLine]:
        file = self.tags_file
        if file not in self.place.names():
            return
        for line, (person, film, tag, at) in read_rows(self.place, file, "userId,movieId,tag,timestamp"):
            checks.seconds(at, file, line)
            yield TagLine(
                line,
                checks.number(person, file, line, "userId"),
                checks.number(film, file, line, "movieId"),
                tag,
            )
