from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.catalog.models import Entity, Keyword, Movie, MovieKeyword, MoviePerson, Person, Triple
from apps.events.models import MovieDay
from apps.ratings.models import Rating
from apps.training import columns
from apps.training.datasets import build_interactions
from apps.training.terms import TITLE_WEIGHT
from tests.factories import make_user
from tests.training.conftest import N_FILMS, N_PEOPLE

pytestmark = pytest.mark.django_db


def test_reads_every_standing_rating_of_everybody(films: list[Movie]) -> None:
    interactions = build_interactions()
    assert interactions.ratings.shape == (N_PEOPLE, N_FILMS)
    assert interactions.ratings.nnz == Rating.objects.count()
    assert interactions.items.ids.tolist() == [film.pk for film in films]
    for row, user_id in enumerate(Rating.objects.order_by("user").values_list("user", flat=True).distinct()):
        stars = dict(Rating.objects.filter(user=user_id).values_list("movie_id", "value"))
        history = interactions.history(row)
        assert dict(zip(interactions.items.ids[history.items].tolist(), history.values, strict=True)) == stars


def test_histories_are_in_the_order_in_which_viewers_acted(films: list[Movie]) -> None:
    user = make_user()
    for second, film in enumerate(reversed(films)):
        at = datetime(2026, 5, 1, 12, 0, 0, second * 2000, tzinfo=UTC)
        Rating.objects.create(user=user, movie=film, value=3.5, changed_at=at)
    interactions = build_interactions()
    assert interactions.history(N_PEOPLE).items.tolist() == list(range(N_FILMS))[::-1]
    assert interactions.rated_at[-N_FILMS] == pytest.approx(at.timestamp(), abs=1e-3)


def test_leaves_withdrawn_ratings_and_people_without_any_out(films: list[Movie]) -> None:
    Rating.objects.create(user=make_user(), movie=films[0], value=None, changed_at=datetime.now(UTC))
    assert build_interactions().n_users == N_PEOPLE


def test_a_hidden_film_stays_if_somebody_rated_it(films: list[Movie]) -> None:
    Movie.objects.filter(pk__in=[films[0].pk, films[-1].pk]).update(is_available=False)
    assert build_interactions().items.ids.tolist() == [film.pk for film in films[:-1]]


def test_an_empty_site_has_empty_arrays(db: None) -> None:
    interactions = build_interactions()
    assert (interactions.n_users, interactions.n_items, interactions.ratings.nnz) == (0, 0, 0)
    assert interactions.features.term_names == ()


def test_chunks_change_nothing(films: list[Movie], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_interactions()
    monkeypatch.setattr(columns, "CHUNK_ROWS", 7)
    parts = build_interactions()
    assert (whole.ratings != parts.ratings).nnz == 0
    np.testing.assert_array_equal(whole.rated_at, parts.rated_at)


@pytest.mark.parametrize("buffer_bytes", [100, 4096])
def test_many_rows_are_read_as_few_are(
    films: list[Movie], monkeypatch: pytest.MonkeyPatch, buffer_bytes: int
) -> None:
    """Whether by COPY or by objects, and wherever a buffer cuts a row."""
    monkeypatch.setattr(columns, "_BUFFER_BYTES", buffer_bytes)
    rows = Rating.objects.filter(value__gt=1.0).order_by("user_id", "movie_id")
    told = rows.values_list("movie_id", "value", columns.Epoch(F("changed_at")), "user_id")
    dtypes = (np.int32, np.float32, np.float64, np.int64)
    many, few = columns.read_many(told, dtypes), columns.read_columns(told, dtypes)
    assert len(many[0]) == rows.count() > 5
    for one, other in zip(many, few, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_no_rows_are_read_as_empty_columns(db: None) -> None:
    (values,) = columns.read_many(Rating.objects.values_list("value"), [np.float32])
    assert (values.shape, values.dtype) == ((0,), np.float32)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="COPY is PostgreSQL's")
@pytest.mark.parametrize(("column", "first"), [("value", True), ("value", False), ("movie__title", False)])
def test_copy_refuses_what_is_no_number(films: list[Movie], column: str, first: bool) -> None:
    withdrawn = Rating.objects.order_by("pk" if first else "-pk")[0]
    Rating.objects.filter(pk=withdrawn.pk).update(value=None)
    rows = Rating.objects.order_by("pk").values_list(column, "movie_id")
    with pytest.raises(ValueError, match="only rows of numbers, of which none is NULL, can be read by COPY"):
        columns.read_many(rows, (np.float64, np.int64))


def test_genres_are_columns_with_names(films: list[Movie]) -> None:
    features = build_interactions().features
    assert features.genre_names == ("Comedy", "Drama")
    np.testing.assert_array_equal(features.genres.toarray()[:2], [[1, 0], [0, 1]])
    assert features.primary_genre.tolist() == [0, 1] * (N_FILMS // 2)
    films[0].moviegenre_set.all().delete()
    Movie.objects.filter(pk=films[0].pk).update(primary_genre=None)
    assert build_interactions().features.primary_genre[0] == -1


def test_terms_say_their_kind_and_are_shared_by_two_films(films: list[Movie]) -> None:
    heist, lone = (Keyword.objects.create(name=name) for name in ("heist", "lone"))
    campion = Person.objects.create(name="Jane Campion")
    Movie.objects.filter(pk__in=[film.pk for film in films[:2]]).update(language="fr")
    for film, weight in zip(films[:2], (1, 20), strict=True):
        MovieKeyword.objects.create(movie=film, keyword=heist, weight=weight)
        MoviePerson.objects.create(movie=film, person=campion, role="director")
        MoviePerson.objects.create(movie=film, person=campion, role="cast", position=10)
    MovieKeyword.objects.create(movie=films[0], keyword=lone)
    features = build_interactions().features
    expected = {"keyword:heist", "director:Jane Campion", "language:fr", "decade:1990", "title:story"}
    assert expected | {"decade:2000", "title:rivers"} == set(features.term_names)
    column = features.term_names.index("keyword:heist")
    np.testing.assert_allclose(features.terms[:2, column].toarray().ravel(), np.log1p([1, 20]), rtol=1e-6)
    assert features.terms[2:, column].nnz == 0
    assert set(features.terms[:, features.term_names.index("title:story")].data) == {TITLE_WEIGHT}


def test_what_the_knowledge_graph_knows_are_terms_too(films: list[Movie]) -> None:
    """Named things, nameless ones, relations without a word of ours; not what people and keywords say."""
    films = films[:3]
    heads = [Entity.objects.create(key=f"film:{film.pk}", kind="film", movie=film) for film in films]
    france = Entity.objects.create(key="country:FR", kind="country", name="France")
    somebody = Entity.objects.create(key="freebase:m.1", kind="person")
    thing = Entity.objects.create(key="freebase:m.2")
    campion = Entity.objects.create(key="freebase:m.3", kind="person", name="Jane Campion")
    tails = [("country", france), ("producer", somebody), ("film.film.mood", thing), ("director", campion)]
    for relation, tail in tails:
        Triple.objects.bulk_create(Triple(head=head, relation=relation, tail=tail) for head in heads[:2])
    Triple.objects.create(head=heads[0], relation="sequel", tail=heads[2])
    features = build_interactions().features
    kinds = ("country", "producer", "other", "director", "sequel")
    named = {name: spot for spot, name in enumerate(features.term_names) if name.split(":")[0] in kinds}
    assert list(named) == ["producer:", "country:France", "sequel:", "other:"]
    shared = features.terms[:, list(named.values())].toarray()
    assert shared[:3].T.tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 1, 0]]


def test_a_film_that_two_sets_describe_has_the_same_thing_once(films: list[Movie]) -> None:
    prize = Entity.objects.create(key="freebase:m.4", kind="award")
    for key, film in (("a", films[0]), ("b", films[0]), ("c", films[1])):
        head = Entity.objects.create(key=key, kind="film", movie=film)
        Triple.objects.create(head=head, relation="won", tail=prize)
    features = build_interactions().features
    assert features.terms[:2, features.term_names.index("won:")].toarray().ravel().tolist() == [1, 1]


def test_flags_follow_the_films(films: list[Movie]) -> None:
    Movie.objects.filter(pk=films[3].pk).update(is_long_tail=True)
    Movie.objects.filter(pk=films[4].pk).update(is_niche=True)
    features = build_interactions().features
    found = [np.flatnonzero(flags).tolist() for flags in (features.is_long_tail, features.is_niche)]
    assert found == [[3], [4]]


def test_counts_how_often_films_were_shown_in_the_last_thirty_days(films: list[Movie]) -> None:
    today = timezone.now().date()
    for days_ago, surface, shown in [(0, "api", 3), (29, "gems", 4), (30, "api", 50)]:
        day = today - timedelta(days=days_ago)
        MovieDay.objects.create(movie=films[1], day=day, surface=surface, shown=shown)
    assert build_interactions().features.n_shown.tolist() == [0, 7] + [0] * (len(films) - 2)
