"""Which of our films a file means."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import Movie
from apps.ratings.imports.entries import Entry, FilmIds
from apps.ratings.imports.matching import AMBIGUOUS, NO_SUCH_ID, NO_YEAR, NOT_FOUND, Match, match_films
from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def entry(title: str = "", year: int | None = None, **ids: Any) -> Entry:
    return Entry("a.csv", 2, "rating", 4.0, None, title, year, FilmIds(**ids))


def match(title: str = "", year: int | None = None, **ids: Any) -> Match:
    return match_films([entry(title, year, **ids)])[0]


@pytest.fixture
def matrix() -> Movie:
    return make_movie(
        "The Matrix",
        year=1999,
        imdb_id="tt0133093",
        tmdb_id=603,
        movielens_id=2571,
        original_title="Die Matrix",
    )


@pytest.mark.parametrize("ids", [{"imdb": "tt0133093"}, {"tmdb": 603}, {"movielens": 2571}])
def test_an_id_decides_whatever_the_title(matrix: Movie, ids: dict[str, Any]) -> None:
    assert match("Something else", 1950, **ids).movie_id == matrix.pk
    assert match(**ids).movie_id == matrix.pk


def test_imdb_is_trusted_before_tmdb_and_movielens(matrix: Movie) -> None:
    other = make_movie(year=2000, tmdb_id=604, movielens_id=2)
    assert match(imdb="tt0133093", tmdb=604, movielens=2).movie_id == matrix.pk
    assert match(imdb="tt9999999", tmdb=604, movielens=2571).movie_id == other.pk


@pytest.mark.parametrize(
    "title",
    [
        "The Matrix",
        "Matrix, The",
        "matrix",
        "THE MATRIX!",
        "Matrix, The (1999)",
        "Die Matrix",
        "Matriks (a.k.a. The Matrix)",
        "Matriks (Matrix, The)",
    ],
)
def test_a_title_goes_by_its_words_and_its_year(matrix: Movie, title: str) -> None:
    assert match(title, None if "(1999)" in title else 1999).movie_id == matrix.pk


def test_a_title_alone_is_not_enough(matrix: Movie) -> None:
    assert match("The Matrix") == Match(None, NO_YEAR)
    assert match("Matrix Reloaded", 1999) == Match(None, NOT_FOUND)
    assert match("", 1999) == Match(None, NO_SUCH_ID)
    assert match("!!!", 1999) == Match(None, NO_SUCH_ID)


@pytest.mark.parametrize(("year", "is_found"), [(1997, False), (1998, True), (2000, True), (2001, False)])
def test_a_year_may_be_one_off(matrix: Movie, year: int, is_found: bool) -> None:
    assert match("The Matrix", year).movie_id == (matrix.pk if is_found else None)


def test_a_year_one_off_must_leave_one_film_only() -> None:
    before, after = make_movie("Hamlet", year=1947), make_movie("Hamlet", year=1949)
    assert match("Hamlet", 1948) == Match(None, AMBIGUOUS)
    assert match("Hamlet", 1947).movie_id == before.pk
    assert match("Hamlet", 1950).movie_id == after.pk


def test_of_two_films_the_one_of_that_first_title_is_meant() -> None:
    make_movie("The Heat", year=1995)
    heat = make_movie("Heat", year=1995)
    make_movie("Hitze", year=1995, original_title="Heat")
    assert match("Heat", 1995).movie_id == heat.pk
    make_movie("Heat!", year=1995)
    assert match("Heat", 1995) == Match(None, AMBIGUOUS)


def test_a_film_that_has_another_id_is_another_film(matrix: Movie) -> None:
    assert match("The Matrix", 1999, imdb="tt0000001") == Match(None, NOT_FOUND)
    assert match("The Matrix", 1999, tmdb=1) == Match(None, NOT_FOUND)
    make_movie("Alien", year=1979)
    assert match("Alien", 1979, imdb="tt0078748").movie_id is not None


def test_our_own_id_counts_only_beside_the_title_of_that_film(matrix: Movie) -> None:
    assert match("The Matrix", 1999, movie=matrix.pk).movie_id == matrix.pk
    assert match("Alien", 1979, movie=matrix.pk) == Match(None, NOT_FOUND)
    sign = make_movie("$", year=1971)
    assert match("$", 1971, movie=sign.pk).movie_id == sign.pk
    undated = make_movie("Untold", year=None)
    assert match("Untold", None, movie=undated.pk).movie_id == undated.pk


def test_a_hidden_film_is_not_found(matrix: Movie) -> None:
    Movie.objects.update(is_available=False)
    assert match("The Matrix", 1999, imdb="tt0133093", movie=matrix.pk) == Match(None, NOT_FOUND)


def test_asks_as_often_for_many_rows_as_for_two(matrix: Movie) -> None:
    counts = []
    for size in (2, 400):
        numbers = range(size)
        entries = [
            entry(f"Film {number}", 1950 + number % 50, movielens=5_000 + number) for number in numbers
        ]
        with CaptureQueriesContext(connection) as queries:
            matches = match_films([*entries, entry("The Matrix", 1999)])
        counts.append(len(queries))
        assert [one.movie_id for one in matches] == [None] * size + [matrix.pk]
    assert counts == [2, 2]
