"""A viewer's own imports, and what there is to see of them."""

from collections.abc import Iterator, Mapping

from django.db.models import Window
from django.db.models.functions import RowNumber

from apps.accounts.models import User
from apps.core.errors import NotFound
from apps.core.spreadsheets import csv_lines
from apps.ratings.models import Import, ImportRow

SAMPLE = 10
# In the order of what a viewer wants to look at.
SAMPLED = (
    ImportRow.Status.CONFLICT,
    ImportRow.Status.NEW,
    ImportRow.Status.UNMATCHED,
    ImportRow.Status.UNCHANGED,
)
UNMATCHED_COLUMNS = "file line kind title year imdb_id tmdb_id movielens_id rating rated_at why".split()


def own_import(user: User | None, import_id: int, *, lock: bool = False) -> Import:
    """What belongs to others counts as not there."""
    found = Import.objects.of(user.pk).filter(pk=import_id) if user else Import.objects.none()
    one = (found.select_for_update(no_key=True) if lock else found).first()
    if one is None:
        raise NotFound(f"There is no import {import_id} of yours")
    return one


def samples_of(one: Import) -> Mapping[ImportRow.Status, list[ImportRow]]:
    """The first rows of each status that has any. One query."""
    place = Window(RowNumber(), partition_by="status", order_by="id")
    rows = one.rows.annotate(place=place).filter(place__lte=SAMPLE).select_related("movie").order_by("id")
    found: dict[str, list[ImportRow]] = {status: [] for status in SAMPLED}
    for row in rows:
        found[row.status].append(row)
    return {status: found[status] for status in SAMPLED if found[status]}


def unmatched_csv(one: Import) -> Iterator[str]:
    """The rows whose film was not found, for a spreadsheet: what would run there stands behind an
    apostrophe.
    """
    return csv_lines(UNMATCHED_COLUMNS, map(_unmatched, one.rows.unmatched().iterator()))


def _unmatched(row: ImportRow) -> Mapping[str, object]:
    return {
        "file": row.file,
        "line": row.line,
        "kind": row.kind,
        "title": row.title,
        "year": row.year,
        **{f"{name}_id": value for name, value in row.ids.items()},
        "rating": row.state if row.kind == ImportRow.Kind.RATING else None,
        "rated_at": row.at,
        "why": row.why,
    }
