"""Rows that are written or, where they are there, set or added to: the fastest that each database has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Model


@dataclass(frozen=True)
class Upsert:
    """How rows of ``columns`` are written. Of one with the same ``unique`` columns the ``updated`` ones are
    set, or grow by what is given where ``adds``; the rest of it stays.
    """

    model: type[Model]
    columns: tuple[str, ...]
    unique: tuple[str, ...]
    updated: tuple[str, ...]
    adds: bool = False

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """One statement, within the transaction that is open. No two rows are of the same key."""
        if not rows:
            return
        table, names = self.model._meta.db_table, ", ".join(self.columns)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # One parameter, however many rows: thousands of them take longer to read than to write.
                source = f"SELECT {names} FROM json_populate_recordset(NULL::{table}, %s)"  # noqa: S608 - names
                cursor.execute(self._sql(source), [_json(self.columns, rows)])
            else:
                places = ", ".join(["%s"] * len(self.columns))
                cursor.executemany(
                    self._sql(f"VALUES ({places})"), [[_plain(one) for one in row] for row in rows]
                )

    def _sql(self, source: str) -> str:
        table = self.model._meta.db_table
        before = f"{table}.{{0}} + " if self.adds else ""
        changes = ", ".join(f"{{0}} = {before}excluded.{{0}}".format(name) for name in self.updated)
        return (
            f"INSERT INTO {table} ({', '.join(self.columns)}) {source} "
            f"ON CONFLICT ({', '.join(self.unique)}) DO UPDATE SET {changes}"
        )


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows]).decode()


def _plain(value: Any) -> Any:
    """As Django stores it in SQLite."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return value.isoformat()
    return orjson.dumps(value).decode() if isinstance(value, dict) else value
