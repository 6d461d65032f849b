"""``load_movielens --skip-bad``: what can be used is loaded, the rest counted and listed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.models import Movie
from apps.core.importing.bad_lines import MAX_LISTED
from apps.ratings.models import Rating

pytestmark = pytest.mark.django_db

MOVIES = b"movieId,title,genres\n1,Toy Story (1995),Comedy\n"
RATINGS = b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n"
GOOD = b"2,1,5.0,964982703\n"


def load(folder: Path, movies: bytes = MOVIES, ratings: bytes = RATINGS) -> dict[str, Any]:
    (folder / "movies.csv").write_bytes(movies)
    (folder / "ratings.csv").write_bytes(ratings)
    out = io.StringIO()
    call_command("load_movielens", str(folder), "--json", "--skip-bad", "--name", "tiny", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"1,1,6,1", "expected a rating from 0.5 to 5.0 by halves, but found '6'"),
        (b"1,9,5,1", "expected a movieId that movies.csv has, but found '9'"),
        (b'1,1,"5,1', "expected CSV with quotes closed, but unexpected end of data"),
        (b"1,1,5", "expected 4 fields (userId,movieId,rating,timestamp), but found '1,1,5'"),
        (b"1,1,5,\xff", "expected UTF-8"),
        (b"1,1,5,\0", "expected text, but found a NUL byte"),
        (b"x" * 200_000, "expected at most 65536 bytes in a line"),
    ],
)
def test_a_bad_line_costs_that_line_alone(tmp_path: Path, line: bytes, message: str) -> None:
    report = load(tmp_path, ratings=RATINGS + line + b"\n" + GOOD)
    assert report["bad_lines"] == {"count": 1, "listed": [f"ratings.csv, line 3: {message}"], "mended": 0}
    assert set(Rating.objects.values_list("user__username", "value")) == {
        ("ml-tiny-1", 4.0),
        ("ml-tiny-2", 5.0),
    }


def test_lines_of_every_file_are_listed_once(tmp_path: Path) -> None:
    movies = MOVIES + b"1,Twice (1990),Drama\n2,,Drama\n"
    report = load(tmp_path, movies=movies, ratings=RATINGS + b"2,2,5.0,1\n")
    assert report["bad_lines"]["listed"] == [
        "movies.csv, line 3: expected each movieId once, but found '1'",
        "movies.csv, line 4: expected a title, but found ''",
        "ratings.csv, line 3: expected a movieId that movies.csv has, but found '2'",
    ]
    assert Movie.objects.count() == 1


def test_all_are_counted_and_the_first_hundred_listed(tmp_path: Path) -> None:
    report = load(tmp_path, ratings=RATINGS + b"bad\n" * 250)
    assert (report["bad_lines"]["count"], len(report["bad_lines"]["listed"])) == (250, MAX_LISTED)


def test_a_header_that_is_another_one_is_never_skipped(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"^ratings\.csv, line 1: expected the header userId,movieId,rating"):
        load(tmp_path, ratings=b"a,b\n")
