"""imdb.com: *Your ratings*, *Export*; the same for a watchlist."""

import re

from apps.ratings.imports.entries import NO_FILM, NOT_RATED, Entry, FilmIds, Skipped
from apps.ratings.imports.formats.format import Format, is_watchlist
from apps.ratings.imports.rows import Row, imdb_id_of
from apps.ratings.models import Import
from apps.ratings.querysets import RATING, WATCHLIST

# "TV Mini Series", "tvMiniSeries" and "Mini-Series" are the same through the years.
_NO_FILMS = {
    "tvseries",
    "tvminiseries",
    "miniseries",
    "tvepisode",
    "episode",
    "tvpilot",
    "videogame",
    "game",
    "podcastseries",
    "podcastepisode",
}
_LETTERS = re.compile("[^a-z]")


class Imdb(Format):
    """``Const,Your Rating,Date Rated,Title,…``; until 2018 ``position,const,created,…,You rated,…``; in
    lists ``Position,Const,Created,…,Your Rating,Date Rated``.
    """

    site = Import.Site.IMDB
    scale = "IMDb has points from 1 to 10: two points are one star, so 7 becomes 3½ stars."

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        is_rated = "your rating" in columns or "you rated" in columns
        return "const" in columns and "title" in columns and (is_rated or is_watchlist(file))

    def entry(self, row: Row) -> Entry | Skipped:
        imdb = imdb_id_of(row["const"])
        if imdb is None:
            raise row.refusal("Const as an id such as tt0133093", row["const"])
        if _LETTERS.sub("", row["title type"].lower()) in _NO_FILMS:
            return Skipped(NO_FILM)
        points = "your rating" if row["your rating"] else "you rated"
        if row[points]:
            # Old exports have no date of the rating: the row was made by it.
            dated = "date rated" if "date rated" in row.cells else "created"
            kind, state, at = RATING, row.half_of_ten(points), row.moment(dated)
        elif is_watchlist(row.file):
            kind, state, at = WATCHLIST, 1.0, row.moment("created")
        else:
            return Skipped(NOT_RATED)
        ids = FilmIds(imdb=imdb)
        return Entry(row.file, row.number, kind, state, at, row["title"], row.year("year"), ids)
