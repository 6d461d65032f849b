"""This site: ``GET /me/export``. All that a viewer said of films comes back, what they took back too."""

from apps.core.spreadsheets import FORMULA_STARTS
from apps.ratings.imports.entries import Entry, FilmIds
from apps.ratings.imports.formats.format import Format
from apps.ratings.imports.rows import Row, id_of, imdb_id_of
from apps.ratings.models import Import
from apps.ratings.querysets import DISMISSAL, FAVORITE, RATING, THUMB, UNSEEN, WATCHLIST

_COLUMNS = {"movie_id", "title", "year", "changed_at"}
_FLAGS = {"favorites": FAVORITE, "watchlist": WATCHLIST, "dismissals": DISMISSAL, "unseen": UNSEEN}
_DIRECTIONS = {"1": 1.0, "0": 0.0, "-1": -1.0}
_TRUTHS = {"true": 1.0, "false": 0.0}


class Marquee(Format):
    """``movie_id,title,year,…,changed_at`` with ``value``, ``direction`` or ``is_active``. What is
    active is told by the file's name: favorites, watchlist, dismissals or unseen.
    """

    site = Import.Site.MARQUEE
    scale = "These are our own half stars: they stay as they are."

    def takes(self, file: str, columns: frozenset[str]) -> bool:
        has_flag = "is_active" in columns and _flag_of(file) is not None
        return columns >= _COLUMNS and ("value" in columns or "direction" in columns or has_flag)

    def entry(self, row: Row) -> Entry:
        kind, state = _said(row)
        at = row.moment("changed_at")
        if at is None:
            raise row.refusal("changed_at as a date and time", "")
        ids = FilmIds(
            id_of(row["movie_id"]),
            imdb_id_of(row["imdb_id"]),
            id_of(row["tmdb_id"]),
            id_of(row["movielens_id"]),
        )
        return Entry(row.file, row.number, kind, state, at, _title(row), row.year("year"), ids)


def _said(row: Row) -> tuple[str, float | None]:
    if "value" in row.cells:
        return RATING, row.stars("value") if row["value"] else None
    if "direction" in row.cells:
        # A spreadsheet's apostrophe may stand before the minus.
        direction = _DIRECTIONS.get(row["direction"].removeprefix("'"))
        if direction is None:
            raise row.refusal("direction 1, 0 or -1", row["direction"])
        return THUMB, direction
    flag, state = _flag_of(row.file), _TRUTHS.get(row["is_active"].lower())
    if flag is None or state is None:
        raise row.refusal("is_active true or false", row["is_active"])
    return flag, state


def _flag_of(file: str) -> str | None:
    return next((kind for name, kind in _FLAGS.items() if name in file.lower()), None)


def _title(row: Row) -> str:
    """The CSV has an apostrophe before what a spreadsheet would run."""
    title = row["title"]
    is_guarded = row.place == "line" and title.startswith("'") and title[1:].startswith(FORMULA_STARTS)
    return title[1:] if is_guarded else title
