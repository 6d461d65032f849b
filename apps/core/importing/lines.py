"""The lines and the fields of a file, with their numbers. Bad ones go to ``BadLines``."""

import csv
from collections.abc import Iterator, Sequence
from typing import IO

from apps.core.importing.bad_lines import BadLine, BadLines, bad_line
from apps.core.importing.places import Place

MAX_LINE_BYTES = 65_536
Numbered = Iterator[tuple[int, str]]


def read_lines(
    place: Place, file: str, bad: BadLines, *, latin: bool = False, max_bytes: int = MAX_LINE_BYTES
) -> Numbered:
    """(number, text without its end) of each line, decoded. A byte order mark is dropped.

    NUL, endless lines and other than UTF-8 are bad; with ``latin`` a line that is not UTF-8 is
    Latin-1, as in the older data sets.
    """
    with place.open(file) as stream:
        line = 0
        while raw := stream.readline(max_bytes + 1):
            line += 1
            try:
                text = _decoded(raw, file, line, latin=latin, max_bytes=max_bytes)
            except BadLine as error:
                _skip_rest(stream, raw, max_bytes)
                bad.take(error)
                continue
            yield line, text.removeprefix("\ufeff") if line == 1 else text


def read_rows(place: Place, file: str, header: str, bad: BadLines) -> Iterator[tuple[int, list[str]]]:
    """(number, fields) of each line of a CSV after the header, which must be exactly ``header``.

    A row is one line here, so that a quote that is never closed costs one row and not the file.
    """
    columns = header.split(",")
    lines = read_lines(place, file, bad)
    line, first = next(lines, (1, ""))
    if _fields(first, file, line) != columns:
        raise bad_line(file, 1, f"the header {header}", first)
    for line, text in lines:
        try:
            fields = _fields(text, file, line)
            if len(fields) != len(columns):
                raise bad_line(file, line, f"{len(columns)} fields ({header})", text)
        except BadLine as error:
            bad.take(error)
        else:
            yield line, fields


def read_typed_rows(
    place: Place, file: str, columns: Sequence[str], bad: BadLines
) -> Iterator[tuple[int, list[str]]]:
    """(number, the fields of ``columns``) of each line of a table of RecBole after its header.

    Fields are parted by tabs; the header names them in any order, each with its type: ``item_id:token``.
    """
    lines = read_lines(place, file, bad)
    _, header = next(lines, (1, ""))
    held = [name.partition(":")[0] for name in header.split("\t")]
    if not set(columns) <= set(held):
        raise bad_line(file, 1, f"a header with {', '.join(columns)}, parted by tabs", header)
    seats = [held.index(name) for name in columns]
    for line, text in lines:
        fields = text.split("\t")
        if len(fields) == len(held):
            yield line, [fields[seat].strip() for seat in seats]
        else:
            bad.take(bad_line(file, line, f"{len(held)} fields parted by tabs", text))


def _fields(text: str, file: str, line: int) -> list[str]:
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise bad_line(file, line, f"CSV with quotes closed, but {error}") from error


def _decoded(raw: bytes, file: str, line: int, *, latin: bool, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise bad_line(file, line, f"at most {max_bytes} bytes in a line")
    if b"\0" in raw:
        raise bad_line(file, line, "text, but found a NUL byte")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        if not latin:
            raise bad_line(file, line, "UTF-8") from None
        text = raw.decode("latin-1")
    return text.rstrip("\r\n")


def _skip_rest(stream: IO[bytes], raw: bytes, max_bytes: int) -> None:
    """Reads to the end of a line that is too long."""
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(max_bytes)
