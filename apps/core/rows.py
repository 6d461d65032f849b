"""Rows of hand-written SQL, the same from both databases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection

Row = tuple[str, int, float | None, datetime]
"""(what it is, a film's id, a number, when)."""


def read_rows(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Runs a SELECT of the four columns of ``Row``."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
    if connection.vendor == "sqlite":
        return [(*row[:3], _time(row[3])) for row in rows]
    return rows


def _time(value: str | datetime) -> datetime:
    """SQLite keeps UTC without saying so; as text, unless the column's declared type shows through."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC)
