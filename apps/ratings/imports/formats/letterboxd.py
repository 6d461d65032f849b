"""letterboxd.com: *Settings*, *Data*, *Export your data*."""

from apps.ratings.imports.entries import NOT_RATED, Entry, FilmIds, Skipped
from apps.ratings.imports.formats.format import Format, is_watchlist
from apps.ratings.imports.rows import Row
from apps.ratings.models import Import
from apps.ratings.querysets import RATING, WATCHLIST

_COLUMNS = {"date", "name", "year", "letterboxd uri"}


class Letterboxd(Format):
    """``Date,Name,Year,Letterboxd URI``, with ``Rating`` in ratings.csv, and ``Rewatch,Tags,Watched
    Date`` besides in diary.csv. No ids: the URI names a film to Letterboxd alone.

    ratings.csv holds what a viewer thinks now, diary.csv what they thought at each viewing: where
    both speak of a film, the former counts.
    """

    site = Import.Site.LETTERBOXD
    scale = "Letterboxd has half stars from ½ to 5, as we do: they stay as they are."

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        return columns >= _COLUMNS and ("rating" in columns or is_watchlist(file))

    def entry(self, row: Row) -> Entry | Skipped:
        if not row["name"]:
            raise row.refusal("a Name", "")
        is_list = "rating" not in row.cells
        if not is_list and not row["rating"]:
            return Skipped(NOT_RATED)
        return Entry(
            row.file,
            row.number,
            WATCHLIST if is_list else RATING,
            1.0 if is_list else row.stars("rating"),
            row.moment("date"),
            row["name"],
            row.year("year"),
            FilmIds(),
            weight=0 if "watched date" in row.cells else 1,
        )
