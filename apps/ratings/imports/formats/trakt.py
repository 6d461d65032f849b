"""trakt.tv: *Settings*, *Data*, *Export*; and the CSV and JSON of ratings and watchlist."""

from apps.ratings.imports.entries import NO_FILM, NOT_RATED, Entry, FilmIds, Skipped
from apps.ratings.imports.formats.format import Format, is_watchlist
from apps.ratings.imports.rows import Row, id_of, imdb_id_of
from apps.ratings.models import Import
from apps.ratings.querysets import RATING, WATCHLIST


class Trakt(Format):
    """CSV: ``rated_at,type,title,year,…,imdb_id,tmdb_id,…,rating``, or ``listed_at`` in a watchlist.
    JSON: the same in objects, what is known of the film in ``movie`` and ``movie.ids``.
    """

    site = Import.Site.TRAKT
    scale = "Trakt has points from 1 to 10: two points are one star, so 7 becomes 3½ stars."

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        is_known = {"type", "title", "year"} <= columns or any("." in column for column in columns)
        is_rated = {"rated_at", "rating"} <= columns
        return is_known and (is_rated or ("listed_at" in columns and is_watchlist(file)))

    def entry(self, row: Row) -> Entry | Skipped:
        if row["type"] != "movie" and (row["type"] or not row["movie.title"]):
            return Skipped(NO_FILM)
        is_list = "rated_at" not in row.cells
        if not is_list and not row["rating"]:
            return Skipped(NOT_RATED)
        return Entry(
            row.file,
            row.number,
            WATCHLIST if is_list else RATING,
            1.0 if is_list else row.half_of_ten("rating"),
            row.moment("listed_at" if is_list else "rated_at"),
            row.first_of("title", "movie.title"),
            row.year("year") or row.year("movie.year"),
            FilmIds(
                imdb=imdb_id_of(row.first_of("imdb_id", "movie.ids.imdb")),
                tmdb=id_of(row.first_of("tmdb_id", "movie.ids.tmdb")),
            ),
        )
