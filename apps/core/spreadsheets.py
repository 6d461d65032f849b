"""CSV that a spreadsheet can open without running anything."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from apps.core.json import encode

# A spreadsheet would run a cell that begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """The line of the columns' names and one for each row, as they come."""
    yield _line(columns)
    for row in rows:
        yield _line([safe_cell(row.get(name)) for name in columns])


def safe_cell(value: object) -> object:
    """The value as a cell: numbers as they are, text that would be a formula behind an apostrophe."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else encode(value).decode().strip('"')
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
