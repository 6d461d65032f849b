"""Many rows into one table, the quick way of each database."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.db import connection

Value = str | int | float


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Inserts rows with the table's constraints checked; a text must not be empty.

    COPY in PostgreSQL. ``table`` and ``columns`` are names of ours, never input.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            text.seek(0)
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", text)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608
