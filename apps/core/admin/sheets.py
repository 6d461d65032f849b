"""A table of figures that a page of the admin shows and that it gives as CSV, from the same rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from apps.core.spreadsheets import csv_lines

NOTHING = "–"
Row = Mapping[str, Any]


def share(value: float) -> str:
    """To a tenth of a per cent."""
    return f"{value:.1%}"


def signed_share(value: float) -> str:
    return f"{value:+.1%}"


def count(value: float) -> str:
    return f"{value:,.0f}"


def decimal(value: float) -> str:
    return f"{value:,.2f}"


def figure(value: float) -> str:
    """Three digits that count, whatever its size."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True)
class Column:
    """``names`` are one field of a row, or the two ends of an interval. Numbers have a ``form``.

    ``faded`` is the field of a row that says why its cell should not be relied on yet; empty where it may.
    A name or the like ``is_short``: it stays on one line, and takes no more room than it needs.
    """

    title: str
    names: tuple[str, ...]
    form: Callable[[Any], str] | None = None
    faded: str = ""
    is_short: bool = False

    @classmethod
    def text(cls, title: str, name: str) -> "Column":
        return cls(title, (name,))

    @classmethod
    def short(cls, title: str, name: str) -> "Column":
        return cls(title, (name,), is_short=True)

    @property
    def is_number(self) -> bool:
        return self.form is not None

    def show(self, row: Row) -> str:
        values = [row.get(name) for name in self.names]
        if any(value is None or value == "" for value in values):
            return NOTHING
        return " to ".join(self.form(value) if self.form else str(value) for value in values)


@dataclass(frozen=True)
class Cell:
    """``faded`` says why not to rely on it yet."""

    text: str
    is_number: bool
    faded: str = ""
    is_short: bool = False

    @property
    def kind(self) -> str:
        """Classes of the cell."""
        text = "whole" if self.is_short else "words"
        kind = "number" if self.is_number else text
        return f"{kind} is-faded" if self.faded else kind


@dataclass(frozen=True)
class Line:
    """``cells`` begin with the heading of the row."""

    cells: tuple[Cell, ...]
    is_main: bool


@dataclass(frozen=True)
class Sheet:
    """``main`` is the field of a row that says whether it stands out; it is in no column. Without a
    ``csv_url`` there is no file of it.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    csv_url: str
    about: str = ""
    main: str = ""

    def lines(self) -> Iterator[Line]:
        for row in self.rows:
            cells = tuple(
                Cell(
                    column.show(row),
                    column.is_number,
                    row.get(column.faded, "") if column.faded else "",
                    column.is_short,
                )
                for column in self.columns
            )
            yield Line(cells, bool(self.main and row.get(self.main)))

    def as_csv(self, name: str) -> StreamingHttpResponse:
        """The rows in full, as a file of that name and today's date."""
        fields = [field for column in self.columns for field in (*column.names, column.faded) if field]
        return csv_file(name, fields, self.rows)


def csv_file(name: str, fields: Sequence[str], rows: Any) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(csv_lines(fields, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
    return answer
