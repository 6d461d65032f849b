"""movielens.org: *Settings*, *Import/export*; and ``ratings.csv`` of a data set, cut down to one person."""

from collections.abc import Iterable, Iterator

from apps.ratings.imports.entries import NOT_RATED, Entry, FilmIds, Skipped
from apps.ratings.imports.formats.format import Format
from apps.ratings.imports.rows import Row, id_of, imdb_id_of
from apps.ratings.models import Import
from apps.ratings.querysets import RATING

_SCALE = "MovieLens has half stars from ½ to 5, as we do: they stay as they are."


class MovieLensSite(Format):
    """``movie_id,imdb_id,tmdb_id,rating,average_rating,title``: no dates."""

    site = Import.Site.MOVIELENS
    scale = _SCALE

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        return {"movie_id", "imdb_id", "tmdb_id", "rating", "title"} <= columns

    def entry(self, row: Row) -> Entry | Skipped:
        if not row["rating"]:
            return Skipped(NOT_RATED)
        ids = FilmIds(
            imdb=imdb_id_of(row["imdb_id"]), tmdb=id_of(row["tmdb_id"]), movielens=id_of(row["movie_id"])
        )
        return Entry(row.file, row.number, RATING, row.stars("rating"), None, row["title"], None, ids)


class MovieLensSet(Format):
    """``userId,movieId,rating,timestamp``."""

    site = Import.Site.MOVIELENS
    scale = _SCALE

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        return {"userid", "movieid", "rating", "timestamp"} <= columns

    def entries(self, rows: Iterable[Row]) -> Iterator[Entry | Skipped]:
        """Of one person only: nobody rated what a whole data set did."""
        person = None
        for row in rows:
            person = person or row["userid"]
            if row["userid"] != person:
                raise row.refusal(f"the ratings of one person, userId {person[:20]}", row["userid"])
            yield self.entry(row)

    def entry(self, row: Row) -> Entry:
        ids = FilmIds(movielens=row.number_of("movieid"))
        at = row.second("timestamp")
        return Entry(row.file, row.number, RATING, row.stars("rating"), at, "", None, ids)
