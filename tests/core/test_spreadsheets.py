"""CSV for spreadsheets: read back as it was, and nothing of it runs."""

import csv
import io
from datetime import UTC, datetime

import pytest

from apps.core.spreadsheets import csv_lines, safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_a_spreadsheet_would_run_comes_behind_an_apostrophe(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", [None, True, 3, -4.5])
def test_numbers_stay_numbers(value: object) -> None:
    assert safe_cell(value) == value


def test_a_list_that_begins_harmlessly_stays_readable() -> None:
    assert safe_cell(["=1"]) == '["=1"]'
    assert safe_cell(datetime(2026, 3, 14, tzinfo=UTC)) == "2026-03-14T00:00:00Z"


def test_every_row_has_every_column_and_reads_back() -> None:
    rows = [{"name": 'a "b", c', "note": "two\nlines"}, {"note": "=1"}]
    lines = list(csv_lines(["name", "note"], rows))
    assert len(lines) == 3
    read = list(csv.reader(io.StringIO("".join(lines), newline="")))
    assert read == [["name", "note"], ['a "b", c', "two\nlines"], ["", "'=1"]]
