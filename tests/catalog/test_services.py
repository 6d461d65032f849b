import pytest

from apps.catalog.matching import FilmIndex
from apps.catalog.models import Genre, Keyword, Movie, MovieKeyword, MoviePerson, Person, Triple
from apps.catalog.records import Credit, FilmRecord, Link
from apps.catalog.services import (
    UpsertedFilms,
    absorb,
    add_credits,
    add_keywords,
    count_ratings,
    create_movie,
    link_films,
    set_genres,
    update_movie,
    upsert_films,
)
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.importing.counts import Upserted
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


def upsert(*films: FilmRecord, **options: bool) -> UpsertedFilms:
    return upsert_films(records=films, index=FilmIndex(keys="old:"), **options)


def test_an_import_adds_films_once() -> None:
    films = (
        FilmRecord("Heat", year=1995, genres=("Crime",), movielens_id=1),
        FilmRecord("Ran", movielens_id=2),
    )
    assert upsert(*films).counts == Upserted(new=2)
    assert upsert(*films).counts == Upserted(unchanged=2)
    assert Movie.objects.get(movielens_id=1).genre_names == ["Crime"]


def test_an_import_fills_gaps_and_keeps_what_staff_wrote() -> None:
    make_movie("HEAT", movielens_id=1, overview="Ours")
    record = FilmRecord(
        "Heat",
        original_title="Heat!",
        year=1995,
        genres=("Crime",),
        movielens_id=1,
        overview="Theirs",
        runtime=170,
    )
    assert upsert(record).counts == Upserted(updated=1)
    movie = Movie.objects.get()
    assert (movie.title, movie.original_title, movie.year, movie.genre_names) == ("HEAT", "", 1995, ["Crime"])
    assert (movie.overview, movie.runtime, movie.search_title) == ("Ours", 170, " 1995 | heat |")


def test_of_two_counts_of_votes_the_greater_one_is_kept() -> None:
    upsert(FilmRecord("Heat", tmdb_id=949, tmdb_vote_average=7.7, tmdb_vote_count=1803))
    older = FilmRecord("Heat", tmdb_id=949, tmdb_vote_average=9.0, tmdb_vote_count=12)
    assert upsert(older).counts == Upserted(unchanged=1)
    newer = FilmRecord("Heat", tmdb_id=949, tmdb_vote_average=7.9, tmdb_vote_count=6000)
    assert upsert(newer).counts == Upserted(updated=1)
    movie = Movie.objects.get()
    assert (movie.tmdb_vote_average, movie.tmdb_vote_count) == (7.9, 6000)


def test_a_film_without_title_is_hidden_until_a_source_knows_it() -> None:
    upsert(FilmRecord("", movielens_id=108583))
    movie = Movie.objects.get()
    assert (movie.title, movie.is_available) == ("Untitled film (MovieLens 108583)", False)
    assert upsert(FilmRecord("Fawlty Towers", year=1975, movielens_id=108583)).counts == Upserted(updated=1)
    movie.refresh_from_db()
    assert (str(movie), movie.is_available) == ("Fawlty Towers (1975)", True)


def test_external_ids_fill_gaps_and_those_of_another_film_are_left_out() -> None:
    make_movie(movielens_id=1, tmdb_id=949)
    make_movie(movielens_id=2)
    done = upsert(
        FilmRecord("A", movielens_id=1, imdb_id="tt0113277", tmdb_id=111),
        FilmRecord("B", movielens_id=2, imdb_id="tt0089881", tmdb_id=949),
    )
    assert (done.counts, done.taken) == (Upserted(updated=2), 1)
    rows = Movie.objects.order_by("movielens_id").values_list("imdb_id", "tmdb_id")
    assert list(rows) == [("tt0113277", 949), ("tt0089881", None)]


@pytest.mark.parametrize(
    "record",
    [
        FilmRecord("The Matrix", year=1999, tmdb_id=603),
        FilmRecord("MATRIX", year=1999, imdb_id="tt0133093"),
        FilmRecord("La matrice", original_title="The Matrix", year=1999, tmdb_id=603),
        FilmRecord("Anything", movielens_id=2571),
    ],
)
def test_a_record_is_about_the_film_of_its_id_or_of_its_title_and_year(record: FilmRecord) -> None:
    movie = make_movie("The Matrix", year=1999, movielens_id=2571)
    assert upsert(record).movie_ids == [movie.pk]


@pytest.mark.parametrize(
    "record",
    [
        FilmRecord("The Matrix", year=2003, tmdb_id=604),
        FilmRecord("The Matrix", tmdb_id=604),
        FilmRecord("The Matrix", year=1999, tmdb_id=604),
        FilmRecord("The Matrix", year=1999, movielens_id=1, tmdb_id=603),
    ],
)
def test_another_year_or_another_id_is_another_film(record: FilmRecord) -> None:
    make_movie("The Matrix", year=1999, movielens_id=2571, tmdb_id=603)
    assert upsert(record).counts == Upserted(new=1)


def test_a_record_that_two_films_could_be_is_left_out_or_becomes_one_more() -> None:
    films = make_movie("Emma", year=1996), make_movie("Emma", year=1996)
    record = FilmRecord("Emma", year=1996, tmdb_id=3573)
    done = upsert(record)
    assert (done.movie_ids, done.ambiguous) == ([None], [(0, (films[0].pk, films[1].pk))])
    assert done.counts == Upserted()
    assert upsert(record, add_ambiguous=True).counts == Upserted(new=1)
    assert upsert(record).counts == Upserted(unchanged=1)


def test_of_two_records_that_claim_a_film_by_its_title_neither_gets_it() -> None:
    make_movie("Emma", year=1996)
    records = [FilmRecord("Emma", year=1996, tmdb_id=number) for number in (3573, 12254)]
    index = FilmIndex()
    for line, record in enumerate(records):
        index.claim(record, line)
    assert len(upsert_films(records=records, index=index).ambiguous) == 2


def test_records_about_one_new_film_become_one_film() -> None:
    twice = (
        FilmRecord("Chasing Amy", year=1997, key="old:246"),
        FilmRecord("Chasing Amy", year=1997, key="old:268", runtime=113),
    )
    done = upsert(*twice)
    assert (done.counts, len(set(done.movie_ids))) == (Upserted(new=1), 1)
    assert upsert(*twice).counts == Upserted(unchanged=1)
    movie = Movie.objects.get()
    assert movie.runtime == 113
    assert list(movie.entities.values_list("key", flat=True)) == ["old:246", "old:268"]


def test_a_film_keeps_its_key_when_staff_rename_it() -> None:
    record = FilmRecord("Kolya", year=1996, key="old:242")
    upsert(record)
    update_movie(movie=Movie.objects.get(), by=None, title="Kolja", year=1997)
    assert upsert(record).counts == Upserted(unchanged=1)


def test_a_record_of_a_film_that_was_merged_is_about_the_one_it_was_merged_into() -> None:
    kept, gone = (make_movie("Emma", year=1996, movielens_id=number) for number in (838, 26958))
    absorb(duplicate=gone, kept=kept)
    records = FilmRecord("Emma", year=1996, movielens_id=26958), FilmRecord("Emma", year=1996, tmdb_id=3573)
    assert upsert(*records).movie_ids == [kept.pk, kept.pk]
    assert set(Movie.objects.to_ask_about()) == {kept}


def test_people_fill_the_roles_that_a_film_has_nobody_for() -> None:
    movie = make_movie()
    cast = [
        Credit("Al Pacino", "cast", 1158),
        Credit("Robert De Niro", "cast", 380),
        Credit("Al Pacino", "cast", 1158),
    ]
    assert add_credits(credits={movie.pk: cast}) == Upserted(new=2)
    later = [Credit("Somebody Else", "cast"), Credit("Michael Mann", "director", 638)]
    assert add_credits(credits={movie.pk: later}) == Upserted(new=1, unchanged=1)
    assert add_credits(credits={movie.pk: later}) == Upserted(unchanged=2)
    rows = MoviePerson.objects.values_list("role", "position", "person__name", "person__tmdb_id")
    assert list(rows) == [
        ("cast", 0, "Al Pacino", 1158),
        ("cast", 1, "Robert De Niro", 380),
        ("director", 0, "Michael Mann", 638),
    ]


def test_a_person_without_an_id_is_the_only_one_of_the_name() -> None:
    movies = [make_movie() for _ in range(3)]
    add_credits(credits={movies[0].pk: [Credit("Jane Smith", "cast", 7)]})
    add_credits(credits={movies[1].pk: [Credit("Jane Smith", "cast")]})
    assert Person.objects.count() == 1
    add_credits(credits={movies[2].pk: [Credit("Jane Smith", "cast", 8)]})
    add_credits(credits={movies[2].pk: [Credit("Jane Smith", "writer")]})
    assert Person.objects.filter(name="Jane Smith").count() == 3


def test_a_film_is_linked_to_a_country_once() -> None:
    movie = make_movie()
    links = {movie.pk: [Link("country", "country:US", "country", "United States")]}
    assert link_films(links=links) == Upserted(new=1)
    assert link_films(links=links) == Upserted(unchanged=1)
    triple = Triple.objects.get()
    assert (triple.head.movie, triple.relation, str(triple.tail)) == (movie, "country", "United States")


def test_a_keyword_keeps_the_greater_weight() -> None:
    movie = make_movie()
    assert add_keywords(weights={(movie.pk, "heist"): 3, (movie.pk, "la"): 1}) == Upserted(new=2)
    assert add_keywords(weights={(movie.pk, "heist"): 5}) == Upserted(updated=1)
    assert add_keywords(weights={(movie.pk, "heist"): 2}) == Upserted(unchanged=1)
    assert MovieKeyword.objects.get(keyword__name="heist").weight == 5
    assert Keyword.objects.count() == 2
