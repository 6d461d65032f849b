import pytest
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.head import head_of
from apps.catalog.long_tail import FilmVotes, long_tail_of
from apps.catalog.models import Movie
from apps.catalog.niche import is_niche
from apps.catalog.primary_genre import primary_genre
from apps.catalog.services import add_keywords, refresh_flags
from apps.catalog.votes import VOTE_AVERAGE, VOTE_COUNT, bayesian_mean
from tests.factories import make_movie


def test_the_head_makes_up_the_first_80_percent_of_ratings() -> None:
    assert head_of([(1, 50), (2, 30), (3, 15), (4, 5), (5, 0)]) == {1, 2}
    assert head_of([(1, 50), (2, 29), (3, 16), (4, 5)]) == {1, 2, 3}


def test_of_films_rated_alike_the_smaller_id_is_in_the_head() -> None:
    assert head_of([(9, 1), (3, 1), (7, 1), (5, 1), (1, 1)]) == {1, 3, 5, 7}


def test_no_ratings_no_head() -> None:
    assert head_of([(1, 0), (2, 0)]) == frozenset()


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 100), max_size=30))
def test_the_head_is_the_least_that_reaches_80_percent(counts: dict[int, int]) -> None:
    head = head_of(counts.items())
    reached, wanted = sum(counts[movie_id] for movie_id in head), 0.8 * sum(counts.values())
    assert reached >= wanted
    if head:
        assert reached - min(counts[movie_id] for movie_id in head) < wanted


def tail_of_ten() -> list[FilmVotes]:
    """A hit that is the head alone, and ten films with 5 ratings each of 2.5 to 4.75 stars in the mean."""
    hit = FilmVotes(100, 4000.0, 1000)
    return [hit, *(FilmVotes(number, 5 * (2.5 + number * 0.25), 5) for number in range(10))]


def test_the_long_tail_is_the_best_tenth_outside_the_head() -> None:
    assert long_tail_of(tail_of_ten()) == {9}


def test_fewer_than_five_ratings_are_no_long_tail() -> None:
    assert long_tail_of([*tail_of_ten(), FilmVotes(50, 20.0, 4)]) == {9}


def test_films_at_the_bar_are_in() -> None:
    assert long_tail_of([*tail_of_ten(), FilmVotes(50, 5 * 4.75, 5)]) == {9, 50}


@pytest.mark.parametrize(
    ("average", "count", "expected"), [(7.6, 999, {1}), (7.5, 999, set()), (7.6, 1000, set())]
)
def test_votes_of_tmdb_decide_where_they_are_known(average: float, count: int, expected: set[int]) -> None:
    assert long_tail_of([FilmVotes(1, 0.0, 0, average, count)]) == expected


@pytest.mark.parametrize(
    ("genres", "keywords", "language", "expected"),
    [
        ({"animation"}, set(), "ja", True),
        ({"animation"}, set(), "", False),
        ({"action"}, {"anime"}, "en", True),
        ({"documentary"}, set(), "en", True),
        ({"drama"}, set(), "fr", True),
        ({"drama"}, set(), "en", False),
    ],
)
def test_niche_is_anime_documentary_or_foreign(
    genres: set[str], keywords: set[str], language: str, expected: bool
) -> None:
    assert is_niche(genres=genres, keywords=keywords, language=language, site_language="en") is expected


def test_the_primary_genre_is_the_rarest_that_is_no_format() -> None:
    films = {"Drama": 900, "War": 90, "IMAX": 5, "Western": 90}
    assert primary_genre(["Drama", "War", "IMAX", "Western"], films) == "War"
    assert primary_genre(["IMAX"], films) is None


@pytest.mark.django_db
def test_refreshing_writes_what_changed_and_only_that() -> None:
    anime, plain = make_movie(genres=["Animation"]), make_movie(genres=["Drama"])
    gem = make_movie(tmdb_vote_average=8.0, tmdb_vote_count=50)
    add_keywords(weights={(anime.pk, "anime"): 3})
    Movie.objects.filter(pk=plain.pk).update(primary_genre=None, is_niche=True)
    report = refresh_flags()
    assert (report.films, report.long_tail, report.niche, report.changed) == (3, 1, 1, 3)
    assert refresh_flags().changed == 0
    plain.refresh_from_db()
    assert plain.primary_genre is not None
    assert list(Movie.objects.filter(is_long_tail=True)) == [gem]
    assert list(Movie.objects.filter(is_niche=True)) == [anime]


@pytest.mark.django_db
def test_refreshing_takes_as_many_queries_for_many_films_as_for_few(
    django_assert_max_num_queries,
) -> None:
    for _ in range(20):
        make_movie(genres=["Drama"])
    Movie.objects.update(is_niche=True)
    with django_assert_max_num_queries(10):
        refresh_flags()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("votes", "average", "count"),
    [
        ({}, None, 0),
        ({"rating_sum": 13.5, "rating_count": 3}, 8.0, 3),
        ({"rating_sum": 13.5, "rating_count": 3, "tmdb_vote_average": 6.1, "tmdb_vote_count": 7}, 6.1, 7),
        ({"tmdb_vote_average": 0.0, "tmdb_vote_count": 0}, None, 0),
        ({"tmdb_vote_average": 5.0, "tmdb_vote_count": None}, None, 0),
    ],
)
def test_the_database_knows_the_same_votes_as_the_film(
    votes: dict[str, float], average: float | None, count: int
) -> None:
    movie = make_movie()
    Movie.objects.filter(pk=movie.pk).update(**votes)
    movie.refresh_from_db()
    assert (movie.vote_average, movie.vote_count) == (average, count)
    row = Movie.objects.annotate(a=VOTE_AVERAGE, c=VOTE_COUNT).values_list("a", "c", F("id")).get()
    assert row == (average, count, movie.pk)


def test_one_rating_moves_the_bayesian_mean_by_a_fourth() -> None:
    assert bayesian_mean(0.0, 0) == 3.5
    assert bayesian_mean(5.0, 1) == pytest.approx(3.5 + 1.5 / 4)
