"""Many rows in and out of one table, the quick way of each database."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models

from apps.core.importing.batches import batches

Value = str | int | float | None

BATCH = 500
# What no text of a data set is: COPY reads it as NULL, and everything else as it stands.
_NULL = "\x1fNULL\x1f"


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Inserts rows with the table's constraints checked.

    COPY in PostgreSQL. ``table`` and ``columns`` are names of ours, never input.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = io.StringIO()
            csv.writer(text).writerows(_with_null(row) for row in rows)
            text.seek(0)
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv, NULL '{_NULL}')", text)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608


def insert_new_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Inserts the rows that break no constraint of uniqueness; how many they were."""
    start = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - names of ours
    marks = f"({', '.join(['%s'] * len(columns))})"
    inserted = 0
    with connection.cursor() as cursor:
        for batch in batches(rows, BATCH):
            statement = f"{start}{', '.join([marks] * len(batch))} ON CONFLICT DO NOTHING"
            cursor.execute(statement, [value for row in batch for value in row])
            inserted += cursor.rowcount
    return inserted


def update_rows(
    model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Value | bool]]
) -> None:
    """Sets ``fields`` of many rows to values of their own; each row is (primary key, *values).

    One UPDATE for 500 rows; ``bulk_update`` asks a CASE with every key for each of the columns.
    """
    statement = _update_statement(model, fields)
    for batch in batches(rows, BATCH):
        # PostgreSQL and SQLite both name the columns of VALUES column1, column2, …
        values = ", ".join([f"({', '.join(['%s'] * (1 + len(fields)))})"] * len(batch))
        with connection.cursor() as cursor:
            cursor.execute(statement.replace("VALUES", f"VALUES {values}"), [v for row in batch for v in row])


def time_stamps() -> Callable[[datetime], str]:
    """What makes a time the text that the database takes in hand-written SQL.

    SQLite keeps UTC without saying so. Which database it is is asked once, not for each of a
    million rows.
    """
    if connection.vendor == "postgresql":
        return lambda at: at.isoformat(" ")
    return lambda at: at.astimezone(UTC).isoformat(" ").removesuffix("+00:00")


def time_stamp(at: datetime) -> str:
    """The same for a single time."""
    return time_stamps()(at)


def _with_null(row: Sequence[Value]) -> Sequence[Value]:
    return [_NULL if value is None else value for value in row] if None in row else row


def _update_statement(model: type[models.Model], fields: Sequence[str]) -> str:
    table = model._meta.db_table
    columns: dict[str, models.Field[Any, Any]] = {field.name: field for field in model._meta.concrete_fields}
    targets = [columns[name] for name in fields]
    sets = ", ".join(
        f"{field.column} = {_cast(f'delta.column{number}', field)}" for number, field in enumerate(targets, 2)
    )
    key = _cast("delta.column1", model._meta.pk)
    return f"UPDATE {table} SET {sets} FROM (VALUES) AS delta WHERE {table}.id = {key}"  # noqa: S608 - names of ours


def _cast(column: str, field: "models.Field[Any, Any]") -> str:
    """In PostgreSQL values in VALUES are text or bare NULL unless it is said what they are."""
    if connection.vendor != "postgresql":
        return column
    return f"CAST({column} AS {field.cast_db_type(connection)})"
