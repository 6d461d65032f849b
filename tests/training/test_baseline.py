"""What a version learnt from, counted."""

import json

import pytest

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from apps.training.baseline import SUBJECTS, baseline_of, read_baseline
from apps.training.datasets import build_interactions

pytestmark = pytest.mark.django_db


def test_every_rating_is_counted_once_for_each_thing(films: list[Movie]) -> None:
    found = baseline_of(build_interactions())
    assert json.loads(json.dumps(found)) == found
    for subject in SUBJECTS:
        assert sum(found[subject].values()) == found["n"] == Rating.objects.count()


def test_stars_are_counted_by_halves(films: list[Movie]) -> None:
    counts = baseline_of(build_interactions())["ratings"]
    assert list(counts) == ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]
    known = {value: Rating.objects.filter(value=value).count() for value in (2.0, 5.0)}
    assert {name: count for name, count in counts.items() if count} == {"2.0": known[2.0], "5.0": known[5.0]}


def test_films_count_as_often_as_they_were_rated(films: list[Movie]) -> None:
    Movie.objects.filter(pk=films[0].pk).update(is_long_tail=True, is_niche=True, primary_genre=None)
    found = baseline_of(build_interactions())
    of_first = Rating.objects.filter(movie=films[0]).count()
    assert found["rated_long_tail"] == {"yes": of_first, "other": found["n"] - of_first}
    assert found["rated_niche"] == found["rated_long_tail"]
    assert found["rated_genres"]["other"] == of_first
    comedy = Rating.objects.filter(movie__primary_genre__name="Comedy").count()
    assert found["rated_genres"]["Comedy"] == comedy


def test_a_decade_that_few_films_have_is_among_the_others(films: list[Movie]) -> None:
    """Terms are kept that two films have: here ten films of the nineties and two of 2000 and 2001."""
    Movie.objects.filter(pk=films[1].pk).update(year=1890)
    found = baseline_of(build_interactions())["rated_decades"]
    assert list(found) == ["1990", "2000", "other"]
    assert found["other"] == Rating.objects.filter(movie=films[1]).count()


def test_what_a_person_rated_is_squared(films: list[Movie]) -> None:
    by_person = Rating.objects.values_list("user_id", flat=True)
    counts = [list(by_person).count(user) for user in set(by_person)]
    assert baseline_of(build_interactions())["sum_squares"] == sum(count**2 for count in counts)


def test_it_counts_nothing_where_there_is_nothing(db: None) -> None:
    found = baseline_of(build_interactions())
    assert found["n"] == found["sum_squares"] == 0
    assert found["rated_genres"] == {"other": 0}


def test_reads_what_it_made_and_nothing_else(films: list[Movie]) -> None:
    made = baseline_of(build_interactions())
    assert read_baseline({"baseline": made}) == made
    assert read_baseline({}) is None
    assert read_baseline({"baseline": made | {"format": 2}}) is None
