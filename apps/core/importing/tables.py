"""CSV whose rows may span lines and whose columns come in any order, as people export it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.importing.bad_lines import BadLine, BadLines, bad_line
from apps.core.importing.lines import read_lines
from apps.core.importing.places import Place

# Credits of a big film are 80 kB of JSON in one field; the csv module stops at 128 KiB a field.
MAX_ROW_BYTES = 524_288
SEPARATORS = ",;\t|"
Row = list[str]


@dataclass(frozen=True)
class Header:
    """Names of columns in lower case, and what parts them."""

    columns: tuple[str, ...]
    separator: str


def read_header(place: Place, file: str) -> Header:
    """The first line, parted by the sign that gives the most columns."""
    _, text = next(read_lines(place, file, BadLines(), max_bytes=MAX_ROW_BYTES), (1, ""))
    if not text.strip():
        raise bad_line(file, 1, "a header with the names of columns", text)
    splits = {sign: next(csv.reader([text], delimiter=sign)) for sign in SEPARATORS}
    separator = max(splits, key=lambda sign: len(splits[sign]))
    return Header(tuple(name.strip().lower() for name in splits[separator]), separator)


def read_table(place: Place, file: str, header: Header, bad: BadLines) -> Iterator[tuple[int, Row]]:
    """(number of its first line, fields) of each row after the header.

    A row that a line end without quotes broke in two is mended, and counted in ``bad``; blank lines
    are passed over.
    """
    wanted = len(header.columns)
    begun: tuple[int, Row] | None = None
    for line, row in _rows(place, file, header, bad):
        if begun is not None:
            whole = _joined(begun[1], row, wanted)
            if whole is not None:
                bad.mended += 1
                yield begun[0], whole
                begun = None
                continue
            bad.take(_wrong_width(file, *begun, wanted))
            begun = None
        if len(row) == wanted:
            yield line, row
        elif len(row) < wanted:
            begun = line, row
        else:
            bad.take(_wrong_width(file, line, row, wanted))
    if begun is not None:
        bad.take(_wrong_width(file, *begun, wanted))


def _rows(place: Place, file: str, header: Header, bad: BadLines) -> Iterator[tuple[int, Row]]:
    lines = _Lines(place, file, bad)
    rows = csv.reader(lines, delimiter=header.separator, strict=True)
    while True:
        lines.begin_row()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            bad.take(bad_line(file, lines.first, f"CSV with quotes closed, but {error}"))
        except BadLine as error:
            bad.take(error)
        else:
            if row and lines.first > 1:
                yield lines.first, row


class _Lines:
    """Lines for the csv module, which says neither where a row began nor when it is too long."""

    def __init__(self, place: Place, file: str, bad: BadLines) -> None:
        self.file = file
        self.first = self._last = self._size = 0
        self._lines = read_lines(place, file, bad, max_bytes=MAX_ROW_BYTES)

    def begin_row(self) -> None:
        self.first = self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, text = next(self._lines)
        self.first = self.first or line
        self._size += len(text)
        if self._size > MAX_ROW_BYTES:
            raise bad_line(self.file, self.first, f"a row of at most {MAX_ROW_BYTES} bytes")
        # The csv module takes a carriage return outside of quotes for the end of the file's lines.
        return text.replace("\r", " ") + "\n"


def _joined(begun: Row, rest: Row, wanted: int) -> Row | None:
    """Two halves of a row that was broken inside a field; None if they cannot be."""
    if len(rest) < wanted and len(begun) + len(rest) - 1 == wanted:
        return [*begun[:-1], f"{begun[-1]}\n{rest[0]}", *rest[1:]]
    return None


def _wrong_width(file: str, line: int, row: Row, wanted: int) -> BadLine:
    return bad_line(file, line, f"{wanted} fields as in the header", f"{len(row)}: {row[0]}")
