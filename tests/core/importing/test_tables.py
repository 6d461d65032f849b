"""Lines and rows of files as people have them."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.importing.bad_lines import BadLine, BadLines
from apps.core.importing.lines import read_rows
from apps.core.importing.places import Folder
from apps.core.importing.tables import MAX_ROW_BYTES, Header, read_header, read_table

# A carriage return in a field is read as a space, and NUL is refused.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)
LINE = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=20)


def read(data: bytes | str, bad: BadLines | None = None) -> list[tuple[int, list[str]]]:
    with TemporaryDirectory() as folder:
        Path(folder, "a.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
        place = Folder(Path(folder))
        return list(read_table(place, "a.csv", read_header(place, "a.csv"), bad or BadLines()))


def write(rows: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue()


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8), st.sampled_from(",;\t|"))
def test_reads_whatever_a_csv_writer_writes(rows: list[list[str]], separator: str) -> None:
    text = write([["id", "title", "year"], *rows], separator)
    assert [row for _, row in read(text)] == rows


@given(st.lists(st.lists(LINE, min_size=3, max_size=3), max_size=8))
def test_reads_rows_of_one_line_each_as_they_were_written(rows: list[list[str]]) -> None:
    text = write([["a", "b", "c"], *rows])
    with TemporaryDirectory() as folder:
        Path(folder, "a.csv").write_text(text, newline="")
        found = list(read_rows(Folder(Path(folder)), "a.csv", "a,b,c", BadLines()))
    assert found == list(enumerate(rows, start=2))


@given(st.binary(max_size=400))
def test_whatever_bytes_there_are_bad_lines_are_the_only_complaint(data: bytes) -> None:
    bad = BadLines(skip=True)
    try:
        rows = read(b"id,title\n" + data, bad)
    except BadLine:
        pytest.fail("a bad line was raised and not skipped")
    assert all(len(row) == 2 for _, row in rows)


def test_finds_the_separator_and_the_names_of_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfID;"The Title"; Year, roughly\r\n')
    header = read_header(Folder(tmp_path), "a.csv")
    assert header == Header(("id", "the title", "year, roughly"), ";")


def test_says_where_each_row_begins() -> None:
    rows = read('id,title\n1,"two\nlines"\n\n2,b\r\n')
    assert rows == [(2, ["1", "two\nlines"]), (5, ["2", "b"])]


def test_mends_a_row_that_a_line_end_broke_in_two() -> None:
    bad = BadLines()
    assert read("a,b,c\n1,bro\nken,3\n4,5,6\n", bad) == [(2, ["1", "bro\nken", "3"]), (4, ["4", "5", "6"])]
    assert (bad.count, bad.mended) == (0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3,4\n", "a.csv, line 2: expected 3 fields as in the header, but found '4: 1'"),
        ("1\n4,5,6\n", "a.csv, line 2: expected 3 fields as in the header, but found '1: 1'"),
        ("1\n2\n3\n", "a.csv, line 2: expected 3 fields as in the header, but found '1: 1'"),
        ("4,5,6\n1\n", "a.csv, line 3: expected 3 fields as in the header, but found '1: 1'"),
        ('1,"2,3\n', "a.csv, line 2: expected CSV with quotes closed, but unexpected end of data"),
        ('1,"2"x,3\n', "a.csv, line 2: expected CSV with quotes closed, but ',' expected after '\"'"),
    ],
)
def test_refuses_a_row_that_cannot_be_one(text: str, message: str) -> None:
    with pytest.raises(BadLine) as refused:
        read("a,b,c\n" + text)
    assert refused.value.detail == message


def test_a_quote_that_is_never_closed_does_not_fill_memory() -> None:
    endless = b'1,"' + b"x" * 1000 + b"\n" + (b"y" * 1000 + b"\n") * (3 * MAX_ROW_BYTES // 1000) + b"2,b\n"
    bad = BadLines(skip=True)
    assert read(b"a,b\n" + endless, bad)[-1][1] == ["2", "b"]
    assert (
        bad.listed[0]
        == "a.csv, line 2: expected CSV with quotes closed, but field larger than field limit (131072)"
    )
