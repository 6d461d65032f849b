"""Many rows at once keep their values in both databases."""

import pytest

from apps.catalog.models import Entity, Keyword, Movie
from apps.core.bulk import insert_new_rows, insert_rows, update_rows
from tests.factories import make_movie

pytestmark = pytest.mark.django_db

TEXTS = [
    "plain",
    "",
    'a "quote", a comma',
    "two\nlines",
    "back\\slash \\N",
    "\\.",
    "tab\tand ünïcode 千",
    "NULL",
]


def test_inserts_texts_as_they_are() -> None:
    rows = [(f"key:{number}", "", text, None) for number, text in enumerate(TEXTS)]
    insert_rows("entities", ("key", "kind", "name", "movie_id"), rows)
    assert list(Entity.objects.order_by("pk").values_list("name", flat=True)) == TEXTS
    assert set(Entity.objects.values_list("movie_id", flat=True)) == {None}


def test_inserts_only_rows_that_are_new_and_counts_them() -> None:
    rows = [(f"word {number}",) for number in range(1200)]
    assert insert_new_rows("keywords", ("name",), rows[:700]) == 700
    assert insert_new_rows("keywords", ("name",), rows) == 500
    assert Keyword.objects.count() == 1200
    assert insert_new_rows("keywords", ("name",), []) == 0


def test_sets_values_of_each_row_and_leaves_the_others() -> None:
    first, second, third = make_movie("A", year=1990), make_movie("B", year=1991), make_movie("C", runtime=3)
    fields = ("title", "year", "tmdb_vote_average", "is_available", "tmdb_id")
    update_rows(
        Movie, fields, [(first.pk, "X", None, 7.5, False, None), (second.pk, "Y", 2000, None, True, 5)]
    )
    rows = Movie.objects.order_by("pk").values_list(*fields)
    assert list(rows) == [
        ("X", None, 7.5, False, None),
        ("Y", 2000, None, True, 5),
        ("C", None, None, True, None),
    ]
    third.refresh_from_db()
    assert third.runtime == 3
