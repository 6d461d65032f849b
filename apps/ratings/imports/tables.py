"""A file as rows: CSV, or a list of objects in JSON. Bounded in rows, columns and cells."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.errors import InvalidInput, TooLarge
from apps.core.json import decode
from apps.ratings.imports.rows import Row, refusal
from apps.ratings.imports.uploads import Member

MAX_ROWS = 20_000
MAX_COLUMNS = 100
MAX_CELL = 10_000
# Of a row in CSV, before it is parted into cells; nobody's notes on a film are longer.
MAX_ROW = 262_144
# Of all that a file in JSON holds, counted undecoded: an export of 20,000 films has a fourth of it.
MAX_VALUES = 1_000_000
_DEPTH = 4


@dataclass(frozen=True)
class Table:
    """``columns`` are in lower case; ``header`` is the first line as it was written."""

    file: str
    columns: frozenset[str]
    header: str
    rows: Iterator[Row]


def read_table(member: Member) -> Table:
    """Raises ``InvalidInput`` with file, line and what was expected; rows do so as they are read."""
    text = _text(member)
    if text.lstrip()[:1] in {"[", "{"}:
        return _json_table(member.name, member.data)
    return _csv_table(member.name, text)


def _text(member: Member) -> str:
    """UTF-8, with or without a byte order mark; else as Windows wrote it in the west."""
    data = member.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput(f"{member.name}: expected UTF-8, but found UTF-16: save it as UTF-8")
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InvalidInput(f"{member.name}, line {line}: expected text, but found a NUL byte")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _csv_table(file: str, text: str) -> Table:
    lines = _Lines(file, text)
    rows = csv.reader(lines, strict=True)
    header = _next_row(lines, rows) or []
    columns = [name.strip().lower() for name in header]
    first = text.partition("\n")[0].rstrip("\r")
    if len(columns) > MAX_COLUMNS:
        raise InvalidInput(
            f"{file}, line 1: expected at most {MAX_COLUMNS} columns, but found {len(columns)}"
        )
    if len(set(columns)) != len(columns):
        raise refusal(file, "line", 1, "each column once", first)
    return Table(file, frozenset(columns), first, _csv_rows(columns, lines, rows))


class _Lines:
    """Lines for the csv module, which parts a row into as many cells as it holds."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.first = self._line = self._size = 0
        self._text = io.StringIO(text, newline="")

    def begin_row(self) -> None:
        self.first, self._size = self._line + 1, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        # One character more than a row may have, and no more, of a line that has no end.
        text = self._text.readline(MAX_ROW + 1)
        if not text:
            raise StopIteration
        self._line += 1
        self._size += len(text)
        if self._size > MAX_ROW:
            raise InvalidInput(
                f"{self.file}, line {self.first}: expected a row of at most {MAX_ROW:,} characters"
            )
        return text


def _next_row(lines: _Lines, rows: Iterator[list[str]]) -> list[str] | None:
    """None after the last."""
    lines.begin_row()
    try:
        return next(rows, None)
    except csv.Error as error:
        where = f"{lines.file}, line {lines.first}"
        raise InvalidInput(f"{where}: expected CSV with quotes closed, but {error}") from None


def _csv_rows(columns: list[str], lines: _Lines, rows: Iterator[list[str]]) -> Iterator[Row]:
    number = 0
    while (cells := _next_row(lines, rows)) is not None:
        if not cells:
            continue
        file, line = lines.file, lines.first
        number += 1
        require_few(file, number)
        if len(cells) != len(columns):
            raise refusal(file, "line", line, f"{len(columns)} columns as in the header", ",".join(cells))
        named = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        yield _bounded(Row(file, line, named))


def _json_table(file: str, data: bytes) -> Table:
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise TooLarge(f"{file} holds more than {MAX_VALUES:,} values: send it in parts")
    try:
        entries = decode(data.removeprefix(b"\xef\xbb\xbf"), takes_repeats=True)
    except InvalidInput as error:
        raise InvalidInput(
            f"{file}: {error.detail.replace('The body is not JSON', 'expected JSON')}"
        ) from None
    if not isinstance(entries, list):
        raise InvalidInput(f"{file}: expected a list of ratings, but found one object")
    require_few(file, len(entries))
    rows = [_json_row(file, number, entry) for number, entry in enumerate(entries, start=1)]
    columns = frozenset(name for row in rows for name in row.cells)
    return Table(file, columns, ",".join(sorted(columns)), iter(rows))


def _json_row(file: str, number: int, entry: Any) -> Row:
    if not isinstance(entry, dict):
        raise refusal(file, "entry", number, "an object", str(entry))
    cells = dict(_cells(entry, "", _DEPTH))
    if len(cells) > MAX_COLUMNS:
        raise refusal(file, "entry", number, f"at most {MAX_COLUMNS} values", str(len(cells)))
    return _bounded(Row(file, number, cells, "entry"))


def _cells(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    """An object in an object gives ``movie.ids.imdb``; lists say nothing that an import needs."""
    for name, entry in value.items():
        path = f"{prefix}{name.lower()}"
        if isinstance(entry, dict):
            if depth > 1:
                yield from _cells(entry, f"{path}.", depth - 1)
        elif isinstance(entry, bool):
            yield path, str(entry).lower()
        elif not isinstance(entry, list):
            yield path, "" if entry is None else str(entry).strip()


def _bounded(row: Row) -> Row:
    for column, cell in row.cells.items():
        if len(cell) > MAX_CELL:
            raise row.refusal(f"at most {MAX_CELL:,} characters as {column[:40]}", f"{len(cell):,}")
    return row


def require_few(file: str, number: int) -> None:
    if number > MAX_ROWS:
        raise TooLarge(f"{file} has more than {MAX_ROWS:,} rows: send it in parts")
