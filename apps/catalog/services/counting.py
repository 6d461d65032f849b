"""Keeping each film's sum and number of our own ratings."""

from collections.abc import Mapping

from django.db import connection, transaction

from apps.catalog.models import Movie

BATCH = 1000


@transaction.atomic
def count_ratings(*, deltas: Mapping[int, tuple[float, int]]) -> None:
    """Adds (stars, number of ratings) to films by id.

    Rows are locked in the order of ids, so that two writers never wait for each other in a circle;
    a film that does not exist is left out.
    """
    movie_ids = sorted(deltas)
    if len(movie_ids) > 1:
        _lock(movie_ids)
    for start in range(0, len(movie_ids), BATCH):
        batch = movie_ids[start : start + BATCH]
        _add([(movie_id, *deltas[movie_id]) for movie_id in batch])


def _lock(movie_ids: list[int]) -> None:
    for start in range(0, len(movie_ids), BATCH):
        rows = Movie.objects.filter(pk__in=movie_ids[start : start + BATCH]).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def _add(rows: list[tuple[int, float, int]]) -> None:
    # PostgreSQL and SQLite both name the columns of VALUES column1, column2, column3.
    values = ", ".join(["(%s, %s, %s)"] * len(rows))
    statement = (
        "UPDATE movies SET rating_sum = rating_sum + CAST(delta.column2 AS double precision), "  # noqa: S608 - placeholders only
        "rating_count = rating_count + CAST(delta.column3 AS integer) "
        f"FROM (VALUES {values}) AS delta WHERE movies.id = delta.column1"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
