"""Which films a newcomer is asked about, and in what order."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import Movie
from apps.recommendations.starters import GROUPS, MIX, groups_of, known_films, starters
from apps.training.services import train
from tests.factories import make_movie, make_rating, make_user

pytestmark = pytest.mark.django_db


def titles(slug: str = "mix", *, n: int = 12, said: set[int] = frozenset()) -> list[str]:  # type: ignore[assignment]
    ids = starters(known_films(), GROUPS[slug], said=said, n=n)
    names = dict(Movie.objects.values_list("pk", "title"))
    return [names[movie_id] for movie_id in ids]


def rated(title: str, *stars: float, **facts: object) -> Movie:
    film = make_movie(title, **facts)  # type: ignore[arg-type]
    for value in stars:
        make_rating(make_user(is_imported=True), film, value)
    return film


def test_asks_first_about_what_many_know() -> None:
    rated("Known", 4, 4, 4, genres=["Drama"], year=1994)
    rated("Rare", 4, genres=["Horror"], year=1984)
    rated("Nobody’s", genres=["Comedy"], year=1974)
    assert titles() == ["Known", "Rare", "Nobody’s"]


def test_asks_rather_about_what_people_disagree_on(nothing_kept: None) -> None:
    rated("Loved by all", 5, 5, 5, 5, 5, genres=["Drama"], year=1994)
    rated("Loved or hated", 5, 1, 5, 1, genres=["Horror"], year=1984)
    assert titles() == ["Loved by all", "Loved or hated"]
    train()
    assert titles() == ["Loved or hated", "Loved by all"]


def test_takes_turns_among_genres_and_decades() -> None:
    for number in range(3):
        rated(f"Drama {number}", *[4.0] * (9 - number), genres=["Drama"], year=1994)
    rated("Horror", *[4.0] * 6, genres=["Horror"], year=1984)
    rated("Drama of before", *[4.0] * 6, genres=["Drama"], year=1954)
    assert titles() == ["Drama 0", "Horror", "Drama of before", "Drama 1", "Drama 2"]


def test_goes_on_where_somebody_stopped() -> None:
    for number in range(6):
        rated(f"Film {number}", *[4.0] * (6 - number))
    before = titles()
    seen = Movie.objects.get(title=before[0]), Movie.objects.get(title=before[2])
    assert titles(said={film.pk for film in seen}) == [before[1], *before[3:]]


def test_never_asks_about_a_hidden_film() -> None:
    rated("Hidden", 4, 4, is_available=False)
    rated("Shown", 4)
    assert titles() == ["Shown"]


def test_holds_a_film_in_each_group_that_it_belongs_to() -> None:
    rated("Alien", 4, genres=["Horror", "Sci-Fi"], year=1979)
    rated("Solaris", 4, genres=["Science Fiction"], year=2002)
    assert titles("horror") == titles("classics") == ["Alien"]
    assert set(titles("fantastic")) == {"Alien", "Solaris"}
    assert titles("new-century") == ["Solaris"]


def test_offers_only_groups_that_hold_films() -> None:
    assert groups_of(known_films()) == []
    rated("Alien", 4, genres=["Horror"], year=1979)
    make_movie("Without facts")
    assert [group.slug for group in groups_of(known_films())] == ["mix", "horror", "classics"]


def test_has_no_place_for_a_film_of_no_year_in_a_decade() -> None:
    rated("Undated", 4, genres=["Drama"])
    assert [slug for slug in GROUPS if titles(slug)] == [MIX.slug, "drama"]


@pytest.mark.parametrize("n_films", [2, 30])
def test_reads_the_films_in_two_queries(n_films: int) -> None:
    for _ in range(n_films):
        make_movie(genres=["Horror", "Comedy"])
    with CaptureQueriesContext(connection) as captured:
        assert len(known_films()) == n_films
    assert len(captured) == 2
