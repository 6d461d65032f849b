import pytest

from apps.catalog.models import Genre, Keyword, Movie, MovieKeyword
from apps.catalog.services import (
    ExternalIds,
    FilmRecord,
    Upserted,
    add_keywords,
    count_ratings,
    create_movie,
    set_external_ids,
    set_genres,
    update_movie,
    upsert_movies,
)
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.models import AuditEntry
from tests.factories import make_api_key, make_movie, make_staff

pytestmark = pytest.mark.django_db


def test_a_created_film_is_found_and_audited() -> None:
    staff = make_staff()
    movie = create_movie(by=staff, title=" Heat ", year=1995, genres=["Crime", "Drama"])
    assert (movie.title, movie.search_title, movie.genre_names) == (
        "Heat",
        " 1995 | heat |",
        ["Crime", "Drama"],
    )
    entry = AuditEntry.objects.get(action="catalog.create_movie")
    assert (entry.actor_id, entry.target_id, entry.after["year"]) == (staff.pk, str(movie.pk), 1995)


def test_hiding_is_audited_with_before_and_after() -> None:
    movie = update_movie(movie=make_movie(), by=make_staff(), is_available=False)
    assert not Movie.objects.available().exists()
    entry = AuditEntry.objects.get(action="catalog.update_movie")
    assert (entry.before, entry.after) == ({"is_available": True}, {"is_available": False})
    assert not movie.is_available


def test_a_change_to_what_is_already_so_is_no_change() -> None:
    movie = make_movie("Heat", genres=["Crime"])
    update_movie(movie=movie, by=None, title="Heat", genres=["Crime"])
    assert not AuditEntry.objects.filter(action="catalog.update_movie").exists()


def test_a_programs_key_is_named_in_the_audit_but_is_no_user() -> None:
    key, _ = make_api_key("catalog.write")
    update_movie(movie=make_movie(), by=key, year=1990)
    entry = AuditEntry.objects.get(action="catalog.update_movie")
    assert entry.actor_id is None
    assert entry.reason == f"by API key {key}"


def test_refuses_an_external_id_of_another_film() -> None:
    other = make_movie("Heat", year=1995, tmdb_id=949)
    with pytest.raises(Conflict) as refusal:
        make_movie("Another", tmdb_id=949)
    assert refusal.value.detail == f"Film {other.pk}, Heat (1995), has tmdb_id 949 already"


def test_refuses_a_film_without_a_title() -> None:
    with pytest.raises(InvalidInput, match="A film needs a title"):
        create_movie(by=None, title="  ")


def test_refuses_to_change_a_film_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="There is no film 123456789"):
        update_movie(movie=Movie(pk=123456789), by=None, title="Heat")


def test_genres_are_known_in_any_case_and_come_once() -> None:
    Genre.objects.create(name="Sci-Fi")
    movie = set_genres(movie=make_movie(), names=["sci-fi", "Drama", "SCI-FI"])
    assert movie.genre_names == ["Sci-Fi", "Drama"]
    assert Genre.objects.count() == 2


def test_counting_adds_to_many_films_at_once() -> None:
    first, second = make_movie(), make_movie()
    count_ratings(deltas={second.pk: (4.5, 1), first.pk: (9.0, 2), 10**9: (1.0, 1)})
    count_ratings(deltas={second.pk: (-4.5, -1)})
    rows = Movie.objects.order_by("pk").values_list("rating_sum", "rating_count")
    assert list(rows) == [(9.0, 2), (0.0, 0)]


def test_an_import_adds_films_once() -> None:
    films = [FilmRecord(1, "Heat", year=1995, genres=("Crime",)), FilmRecord(2, "Ran", year=1985)]
    assert upsert_movies(films=films) == Upserted(new=2)
    assert upsert_movies(films=films) == Upserted(unchanged=2)
    assert Movie.objects.get(movielens_id=1).genre_names == ["Crime"]


def test_an_import_fills_gaps_and_keeps_what_staff_wrote() -> None:
    make_movie("HEAT", movielens_id=1)
    record = FilmRecord(1, "Heat", original_title="Heat!", year=1995, genres=("Crime",))
    assert upsert_movies(films=[record]) == Upserted(updated=1)
    movie = Movie.objects.get()
    assert (movie.title, movie.original_title, movie.year, movie.genre_names) == ("HEAT", "", 1995, ["Crime"])
    assert movie.search_title == " 1995 | heat |"


def test_a_film_without_title_is_hidden_until_a_source_knows_it() -> None:
    upsert_movies(films=[FilmRecord(108583, "")])
    movie = Movie.objects.get()
    assert (movie.title, movie.is_available) == ("Untitled film (MovieLens 108583)", False)
    assert upsert_movies(films=[FilmRecord(108583, "Fawlty Towers", year=1975)]) == Upserted(updated=1)
    movie.refresh_from_db()
    assert (str(movie), movie.is_available) == ("Fawlty Towers (1975)", True)


def test_external_ids_fill_gaps_and_those_of_another_film_are_left_out() -> None:
    make_movie(movielens_id=1, tmdb_id=949)
    make_movie(movielens_id=2)
    records = [ExternalIds(1, "tt0113277", 111), ExternalIds(2, "tt0089881", 949)]
    assert set_external_ids(records=records) == (Upserted(updated=2), 1)
    rows = Movie.objects.order_by("movielens_id").values_list("imdb_id", "tmdb_id")
    assert list(rows) == [("tt0113277", 949), ("tt0089881", None)]


def test_a_keyword_keeps_the_greater_weight() -> None:
    movie = make_movie()
    assert add_keywords(weights={(movie.pk, "heist"): 3, (movie.pk, "la"): 1}) == Upserted(new=2)
    assert add_keywords(weights={(movie.pk, "heist"): 5}) == Upserted(updated=1)
    assert add_keywords(weights={(movie.pk, "heist"): 2}) == Upserted(unchanged=1)
    assert MovieKeyword.objects.get(keyword__name="heist").weight == 5
    assert Keyword.objects.count() == 2
