"""Rows of the database as numpy columns, streamed so that memory is bounded by the arrays."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import FloatField, Func

CHUNK_ROWS = 50_000
Column = npt.NDArray[Any]


class Epoch(Func):
    """A time as seconds since 1970, computed by the database: parsing text costs more than the rest.

    SQLite keeps milliseconds, PostgreSQL microseconds.
    """

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((julianday(%(expressions)s) - 2440587.5) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"
        return self.as_sql(compiler, connection, template=template, **context)


def column_chunks(rows: Iterable[Sequence[Any]], dtypes: Sequence[npt.DTypeLike]) -> Iterator[list[Column]]:
    """One array per column for every ``CHUNK_ROWS`` rows."""
    stream = iter(rows)
    while chunk := list(islice(stream, CHUNK_ROWS)):
        columns = zip(*chunk, strict=True)
        yield [np.array(column, dtype=dtype) for column, dtype in zip(columns, dtypes, strict=True)]


def read_columns(rows: Iterable[Sequence[Any]], dtypes: Sequence[npt.DTypeLike]) -> list[Column]:
    """One array per column."""
    parts: list[list[Column]] = [[np.empty(0, dtype=dtype)] for dtype in dtypes]
    for chunk in column_chunks(rows, dtypes):
        for column, array in zip(parts, chunk, strict=True):
            column.append(array)
    # A column's parts are freed before the next column is joined.
    return [np.concatenate(parts.pop(0)) for _ in dtypes]
