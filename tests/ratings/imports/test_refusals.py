"""Files that are refused: where, what was expected, and what there was."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from apps.core.errors import ApplicationError
from apps.ratings.imports.reading import read_upload
from tests.ratings.imports import files
from tests.ratings.imports.files import as_json, as_zip, named_row, table

RATINGS = files.LETTERBOXD_RATINGS
EXPECTED = (
    "ratings.csv, line 1: expected the columns of ratings as Letterboxd, IMDb, Trakt, MovieLens or Marquee "
    "export them (a list without ratings must have watchlist in its name), but found "
)
OWN = "movie_id,title,year,value,changed_at"


def refusal_of(data: bytes, name: str = "ratings.csv") -> tuple[int, str]:
    with pytest.raises(ApplicationError) as caught:
        read_upload(name, data)
    return caught.value.status, caught.value.detail


def imdb(**cells: str) -> bytes:
    row = named_row(
        files.IMDB_2024, **{"const": "tt0133093", "title": "The Matrix", "yourrating": "9"} | cells
    )
    return table(files.IMDB_2024, row)


CELLS = [
    (
        table(RATINGS, "2024-01-02,Heat,1995,,5.5"),
        "line 2: expected rating from 0.5 to 5 by halves, but found '5.5'",
    ),
    (
        table(RATINGS, "2024-01-02,Heat,1995,,4.2"),
        "line 2: expected rating from 0.5 to 5 by halves, but found '4.2'",
    ),
    (
        table(RATINGS, "2024-01-02,Heat,1995,,0"),
        "line 2: expected rating from 0.5 to 5 by halves, but found '0'",
    ),
    (
        table(RATINGS, "2024-01-02,Heat,1995,,٤"),
        "line 2: expected rating from 0.5 to 5 by halves, but found '٤'",
    ),
    (table(RATINGS, "2024-01-02,,1995,,4"), "line 2: expected a Name, but found ''"),
    (
        table(RATINGS, "2024-01-02,Heat,95,,4"),
        "line 2: expected year as a year of four digits, but found '95'",
    ),
    (
        table(RATINGS, "02.01.2024,Heat,1995,,4"),
        "line 2: expected date as a date from 1970 until now, but found '02.01.2024'",
    ),
    (
        table(RATINGS, "2024-02-30,Heat,1995,,4"),
        "line 2: expected date as a date from 1970 until now, but found '2024-02-30'",
    ),
    (
        table(RATINGS, "2999-01-01,Heat,1995,,4"),
        "line 2: expected date as a date from 1970 until now, but found '2999-01-01'",
    ),
    (
        table(RATINGS, "1969-12-31,Heat,1995,,4"),
        "line 2: expected date as a date from 1970 until now, but found '1969-12-31'",
    ),
    (
        table(RATINGS, "2024-01-02,Heat,1995,,4", "2024-01-02,Heat,1995,4"),
        "line 3: expected 5 columns as in the header, but found '2024-01-02,Heat,1995,4'",
    ),
    (
        table(RATINGS, '2024-01-02,"Heat', "2024-01-02,Ran,1985,,4"),
        "line 2: expected CSV with quotes closed, but unexpected end of data",
    ),
    (imdb(yourrating="11"), "line 2: expected your rating as a whole number from 1 to 10, but found '11'"),
    (imdb(yourrating="0"), "line 2: expected your rating as a whole number from 1 to 10, but found '0'"),
    (imdb(yourrating="7.5"), "line 2: expected your rating as a whole number from 1 to 10, but found '7.5'"),
    (imdb(const="nm0000206"), "line 2: expected Const as an id such as tt0133093, but found 'nm0000206'"),
    (
        table(files.MOVIELENS_SET, "1,2,4.0,1", "2,2,4.0,1"),
        "line 3: expected the ratings of one person, userId 1, but found '2'",
    ),
    (
        table(files.MOVIELENS_SET, "1,x,4.0,1"),
        "line 2: expected movieid as a whole number from 1 to 2147483647, but found 'x'",
    ),
    (
        table(files.MOVIELENS_SET, "1,2,4.0,99999999999"),
        "line 2: expected timestamp in seconds since 1970, until now, but found '99999999999'",
    ),
    (table(OWN, "5,Ran,1985,4,"), "line 2: expected changed_at as a date and time, but found ''"),
    (
        table("movie_id,title,year,direction,changed_at", "5,Ran,1985,2,2026-01-01"),
        "line 2: expected direction 1, 0 or -1, but found '2'",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), CELLS, ids=[sentence[:60] for _, sentence in CELLS])
def test_names_file_line_and_what_was_expected(data: bytes, sentence: str) -> None:
    assert refusal_of(data) == (400, f"ratings.csv, {sentence}")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a,b,c", "'a,b,c'"),
        (
            "Date;Name;Year;Letterboxd URI;Rating",
            "'Date;Name;Year;Letterboxd URI;Rating'; it has semicolons where commas belong",
        ),
        (
            "Date\tName\tYear\tLetterboxd URI\tRating",
            "'Date\\tName\\tYear\\tLetterboxd URI\\tRating'; it has tabs where commas belong",
        ),
        ("Date|Name|Year", "'Date|Name|Year'; it has bars where commas belong"),
        (files.LETTERBOXD_WATCHLIST, f"'{files.LETTERBOXD_WATCHLIST}'"),
        ("x" * 100, f"'{'x' * 60}…'"),
    ],
)
def test_says_what_columns_there_should_be(line: str, found: str) -> None:
    assert refusal_of(table(line, "1,2,3")) == (400, EXPECTED + found)


def test_refuses_what_is_no_text() -> None:
    assert refusal_of(table(RATINGS, "2024-01-02,He\0at,1995,,4")) == (
        400,
        "ratings.csv, line 2: expected text, but found a NUL byte",
    )
    assert refusal_of(f"{RATINGS}\n".encode("utf-16")) == (
        400,
        "ratings.csv: expected UTF-8, but found UTF-16: save it as UTF-8",
    )
    assert refusal_of(b"") == (400, "ratings.csv holds no ratings")
    assert refusal_of(table(RATINGS)) == (400, "ratings.csv holds no ratings")
    assert refusal_of(table("Date,Name,Name", "")) == (
        400,
        "ratings.csv, line 1: expected each column once, but found 'Date,Name,Name'",
    )


def test_refuses_json_that_is_none() -> None:
    status, sentence = refusal_of(b'[{"a": 1}', "a.json")
    assert status == 400
    assert sentence.startswith("a.json: expected JSON that can be read: ")
    assert refusal_of(b"{}", "a.json") == (400, "a.json: expected a list of ratings, but found one object")
    assert refusal_of(b"[1]", "a.json") == (400, "a.json, entry 1: expected an object, but found '1'")
    assert refusal_of(b'[{"a": "\\u0000"}]', "a.json") == (
        400,
        "a.json: A text must not hold the character NUL",
    )
    rated = {
        "rated_at": "2024-01-01T00:00:00Z",
        "rating": 11,
        "type": "movie",
        "movie": {"title": "A", "year": 1999},
    }
    assert refusal_of(as_json([rated]), "a.json") == (
        400,
        "a.json, entry 1: expected rating as a whole number from 1 to 10, but found '11'",
    )


@pytest.mark.parametrize("mark", ["[", '{"a":'])
def test_refuses_json_that_is_deeper_than_anything(mark: str) -> None:
    status, sentence = refusal_of((mark * 100_000).encode(), "a.json")
    assert status == 400
    assert sentence.startswith("a.json: expected JSON that can be read: ")


# --- Tables that were made to fill memory --------------------------------------------------------


def test_refuses_more_rows_columns_and_characters_than_anybody_has() -> None:
    row = "2024-01-02,Heat,1995,,4"
    assert refusal_of(table(RATINGS, *[row] * 20_001)) == (
        413,
        "ratings.csv has more than 20,000 rows: send it in parts",
    )
    assert len(read_upload("ratings.csv", table(RATINGS, *[row] * 20_000)).entries) == 20_000
    wide = ",".join(f"c{number}" for number in range(101))
    assert refusal_of(table(f"{RATINGS},{wide}")) == (
        400,
        "ratings.csv, line 1: expected at most 100 columns, but found 106",
    )
    long = table(RATINGS, f"2024-01-02,{'x' * 10_001},1995,,4")
    assert refusal_of(long) == (
        400,
        "ratings.csv, line 2: expected at most 10,000 characters as name, but found '10,001'",
    )
    endless = table(RATINGS, f'2024-01-02,"{"x" * 200_000},1995,,4')
    assert refusal_of(endless) == (
        400,
        "ratings.csv, line 2: expected CSV with quotes closed, but field larger than field limit (131072)",
    )
    assert refusal_of(as_json([{}] * 20_001), "a.json") == (
        413,
        "a.json has more than 20,000 rows: send it in parts",
    )


HEADER = RATINGS.encode() + b"\n"
ENDLESS = {
    "a million columns": (b"c," * 1_000_000, "line 1"),
    "a million cells": (HEADER + b"," * 1_000_000, "line 2"),
    "one line": (HEADER + b"x" * 3_000_000, "line 2"),
    "cells over many lines": (HEADER + b'"' + b'\n","' * 1_000_000, "line 2"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_parts_no_row_that_has_no_end_into_cells(name: str) -> None:
    """A cell is one byte in the file and fifty in memory."""
    data, where = ENDLESS[name]
    refused, peak = refusal_and_memory(data)
    assert refused == (400, f"ratings.csv, {where}: expected a row of at most 262,144 characters")
    assert peak < 10 * len(data)


def test_decodes_no_json_with_more_values_than_any_export() -> None:
    for data in (b"[" + b"{}," * 1_000_000 + b"{}]", b'[{"a": [' + b"1," * 1_000_000 + b"1]}]"):
        refused, peak = refusal_and_memory(data, "a.json")
        assert refused == (413, "a.json holds more than 1,000,000 values: send it in parts")
        assert peak < 3 * len(data)


def refusal_and_memory(data: bytes, name: str = "ratings.csv") -> tuple[tuple[int, str], int]:
    tracemalloc.start()
    try:
        return refusal_of(data, name), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_counts_the_rows_of_all_files_of_a_zip_together() -> None:
    rows = [f"2024-01-02,Film {number * 7919 % 15_000},1995," for number in range(15_000)]
    data = as_zip(
        {
            "ratings.csv": table(RATINGS, *(f"{row},4" for row in rows)),
            "watchlist.csv": table(files.LETTERBOXD_WATCHLIST, *rows),
        }
    )
    assert refusal_of(data, "a.zip") == (413, "a.zip has more than 20,000 rows: send it in parts")


# --- Zips ----------------------------------------------------------------------------------------


def test_refuses_a_zip_bomb_by_what_it_declares() -> None:
    data = as_zip({"ratings.csv": b"\n" * 10_000_000})
    status, sentence = refusal_of(data, "a.zip")
    assert status == 413
    assert sentence.startswith("ratings.csv in a.zip would grow from ")
    assert sentence.endswith(" bytes to 10000000")


def test_refuses_a_zip_whose_files_are_too_large_together() -> None:
    noise = bytes(range(32, 127)) * 2_000
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name in ("ratings.csv", "diary.csv"):
            archive.writestr(name, noise * 60)
    assert refusal_of(data.getvalue(), "a.zip") == (413, "a.zip unpacks to more than 20 MB")


def test_refuses_a_zip_bomb_that_declares_less_than_it_holds() -> None:
    data = bytearray(as_zip({"ratings.csv": table(RATINGS) + b"\n" * 1_000_000}))
    # The size in both of the headers.
    small = struct.pack("<I", 1_000)
    real = struct.pack("<I", len(table(RATINGS)) + 1_000_000)
    lying = bytes(data).replace(real, small)
    assert lying != bytes(data)
    status, sentence = refusal_of(lying, "a.zip")
    assert status == 400
    assert sentence.startswith("a.zip is not a zip that can be read: ")


def test_refuses_what_is_no_zip_of_ours() -> None:
    assert refusal_of(b"PK\x03\x04 and nothing else", "a.zip") == (
        400,
        "a.zip is not a zip that can be read: File is not a zip file",
    )
    assert refusal_of(as_zip({"notes.txt": b"", "deleted/ratings.csv": b"", "x": b""}), "a.zip") == (
        400,
        "a.zip holds no file that we know: expected the export of Letterboxd, Trakt or Marquee",
    )
    many = as_zip({f"{number}.txt": b"" for number in range(2_001)})
    assert refusal_of(many, "a.zip") == (400, "a.zip holds 2001 files: expected at most 2000")
    mixed = as_zip({"ratings.csv": table(RATINGS, "2024-01-02,Heat,1995,,4"), "thumbs.json": own_json()})
    assert refusal_of(mixed, "a.zip") == (
        400,
        "a.zip holds files of Letterboxd and Marquee: send them one by one",
    )


def test_opens_no_zip_within_a_zip() -> None:
    inner = as_zip({"ratings.csv": table(RATINGS, "2024-01-02,Heat,1995,,4")})
    assert refusal_of(as_zip({"ratings.zip": inner}), "a.zip") == (
        400,
        "a.zip holds no file that we know: expected the export of Letterboxd, Trakt or Marquee",
    )
    assert refusal_of(as_zip({"ratings.csv": inner}), "a.zip") == (
        400,
        "ratings.csv, line 1: expected text, but found a NUL byte",
    )


def own_json() -> bytes:
    values = {"title": "Ran", "year": 1985, "changed_at": "2026-01-01T00:00:00Z"}
    return as_json([{"movie_id": 5, "direction": 1, **values}])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_a_zip_that_holds_a_file_twice_or_packed_in_another_way() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("ratings.csv", table(RATINGS))
    assert refusal_of(packed.getvalue(), "a.zip") == (
        400,
        "ratings.csv in a.zip is packed in a way that we do not read",
    )
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("ratings.csv", table(RATINGS))
    assert refusal_of(packed.getvalue(), "a.zip") == (400, "The zip holds ratings.csv twice")


def test_refuses_an_encrypted_zip() -> None:
    data = bytearray(as_zip({"ratings.csv": table(RATINGS)}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal_of(bytes(data), "a.zip") == (400, "ratings.csv in a.zip is encrypted")
