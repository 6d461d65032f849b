"""Tags that people gave, as keywords weighted by how many people gave them."""

from collections.abc import Iterable, Mapping

from django.db import connection

from apps.catalog.services import add_keywords
from apps.core.bulk import insert_rows
from apps.core.importing.batches import batches
from apps.core.importing.counts import Upserted
from apps.ratings.importing.records import TagLine

BATCH = 20_000
MAX_TAG = 120
_FILMS_AT_ONCE = 500


def load_tags(lines: Iterable[TagLine], *, movie_ids: Mapping[int, int]) -> tuple[Upserted, int]:
    """Links films to tags, lower case; and how many lines were left out as blank or over 120 signs.

    The people are counted by the database, in a temporary table: of 2 million tags the distinct
    ones alone would fill memory. Then 500 films in each transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_tags")
        cursor.execute("CREATE TEMPORARY TABLE staged_tags (person integer, movie_id bigint, tag text)")
    skipped = 0
    for batch in batches(lines, BATCH):
        rows = [(line.person, movie_ids[line.film], _tag(line.tag)) for line in batch]
        kept = [row for row in rows if 0 < len(row[2]) <= MAX_TAG]
        skipped += len(rows) - len(kept)
        insert_rows("staged_tags", ("person", "movie_id", "tag"), kept)
    total = _link()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE staged_tags")
    return total, skipped


def _link() -> Upserted:
    total = Upserted()
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX staged_tags_movie ON staged_tags (movie_id)")
        cursor.execute("SELECT DISTINCT movie_id FROM staged_tags ORDER BY movie_id")
        movie_ids = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(movie_ids), _FILMS_AT_ONCE):
        part = movie_ids[start : start + _FILMS_AT_ONCE]
        total += add_keywords(weights=_people_by_tag(part[0], part[-1]))
    return total


def _people_by_tag(first: int, last: int) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT movie_id, tag, COUNT(DISTINCT person) FROM staged_tags "
            "WHERE movie_id BETWEEN %s AND %s GROUP BY movie_id, tag",
            [first, last],
        )
        return {(movie_id, tag): people for movie_id, tag, people in cursor.fetchall()}


def _tag(text: str) -> str:
    return " ".join(text.lower().split())
