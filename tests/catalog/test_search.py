import pytest
from django.db import connection

from apps.catalog.filters import FilmFilter
from apps.catalog.models import Movie
from apps.core.errors import InvalidInput
from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def titles(text: str) -> list[str]:
    return [str(movie) for movie in Movie.objects.search(text)]


def test_finds_amelie_with_and_without_accents() -> None:
    make_movie("Amelie", original_title="Le Fabuleux destin d'Amélie Poulain", year=2001)
    make_movie("Amelia", year=2009)
    assert titles("amelie") == titles("AMÉLIE") == titles("destin poul") == ["Amelie (2001)"]


def test_finds_a_title_with_its_year() -> None:
    make_movie("Inception", year=2010)
    make_movie("Inception: The Making", year=2012)
    assert titles("inception 2010") == ["Inception (2010)"]


def test_every_word_must_begin_a_word() -> None:
    make_movie("Star Wars", year=1977)
    make_movie("Lone Star", year=1996)
    assert titles("wars star") == ["Star Wars (1977)"]
    assert titles("tar") == []


def test_a_whole_title_comes_before_the_beginning_of_one_before_the_rest() -> None:
    for title, count in (("Enter the Matrix", 900), ("The Matrix Reloaded", 50), ("The Matrix", 3)):
        movie = make_movie(title)
        Movie.objects.filter(pk=movie.pk).update(rating_count=count)
    assert titles("matrix") == ["The Matrix", "The Matrix Reloaded", "Enter the Matrix"]


def test_films_that_match_alike_come_by_their_number_of_ratings() -> None:
    for year, count in ((1998, 1), (2012, 30), (1935, 7)):
        movie = make_movie("Les Misérables", year=year)
        Movie.objects.filter(pk=movie.pk).update(rating_count=count)
    assert [movie.year for movie in Movie.objects.search("les miserables")] == [2012, 1935, 1998]


@pytest.mark.parametrize("text", ["%", "_", "100%_", "\\", "' OR 1=1 --", "|"])
def test_signs_of_the_database_mean_nothing(text: str) -> None:
    make_movie("Heat", year=1995)
    assert titles(text) == []


def test_a_blank_text_leaves_all_films() -> None:
    make_movie("Heat")
    assert titles("  ") == ["Heat"]


def test_a_changed_title_is_found_and_the_old_one_is_not() -> None:
    from apps.catalog.services import update_movie

    update_movie(movie=make_movie("Heet"), by=None, title="Heat")
    assert titles("heat") == ["Heat"]
    assert titles("heet") == []


def test_filters_by_genre_years_and_language() -> None:
    make_movie("Ringu", genres=["Horror", "Mystery"], year=1998, language="ja")
    make_movie("Scream", genres=["Horror", "Comedy"], year=1996, language="en")
    films = Movie.objects.all()
    horror = FilmFilter(genres=("horror",), exclude_genres=("COMEDY", "War"))
    assert str(films.filtered(horror).get()) == "Ringu (1998)"
    assert str(films.filtered(FilmFilter(genres=("Horror", "Comedy"))).get()) == "Scream (1996)"
    assert str(films.filtered(FilmFilter(year_max=1997)).get()) == "Scream (1996)"
    assert str(films.filtered(FilmFilter(year_min=1997, language="JA")).get()) == "Ringu (1998)"
    assert films.filtered(FilmFilter()).count() == 2
    assert not films.filtered(FilmFilter(genres=("Western",))).exists()


def test_films_without_a_year_or_votes_come_last_in_either_direction() -> None:
    make_movie("Unknown")
    make_movie("Old", year=1920, tmdb_vote_average=6.0, tmdb_vote_count=10)
    make_movie("New", year=2020, tmdb_vote_average=8.0, tmdb_vote_count=10)
    for name in ("year", "vote_average"):
        assert [str(movie.title) for movie in Movie.objects.ordered_by(name)] == ["Old", "New", "Unknown"]
        assert [movie.title for movie in Movie.objects.ordered_by(f"-{name}")] == ["New", "Old", "Unknown"]


def test_refuses_an_unknown_ordering() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Movie.objects.ordered_by("password")
    assert refusal.value.detail.startswith("Films can be ordered by title, -title, year")


@pytest.mark.parametrize("n_films", [1, 12])
def test_cards_take_two_queries_however_many_films(n_films: int, django_assert_num_queries) -> None:
    for _ in range(n_films):
        make_movie(genres=["Drama", "Crime"])
    with django_assert_num_queries(2):
        cards = [(movie.genre_names, movie.vote_average) for movie in Movie.objects.with_card()]
    assert cards == [(["Drama", "Crime"], None)] * n_films


@pytest.mark.postgres
def test_postgresql_can_search_by_trigrams() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        available = cursor.fetchone() is not None
        cursor.execute("SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'movies_search'")
        assert cursor.fetchone()[0] == available
