import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.algorithms.types import ItemIndex
from apps.catalog.models import Keyword, Movie, MovieKeyword, MoviePerson, Person
from apps.training import texts
from apps.training.texts import film_texts

pytestmark = pytest.mark.django_db


def index(*films: Movie) -> ItemIndex:
    return ItemIndex(np.array([film.pk for film in films], dtype=np.int64))


def credit(film: Movie, name: str, role: str, position: int = 0) -> None:
    person, _ = Person.objects.get_or_create(name=name)
    MoviePerson.objects.create(movie=film, person=person, role=role, position=position)


def test_tells_title_genres_overview_keywords_and_people_in_this_order(films: list[Movie]) -> None:
    film = films[0]
    Movie.objects.filter(pk=film.pk).update(overview="A pianist comes\r\n to New Zealand. ")
    for name, weight in (("piano", 1), ("colony", 9)):
        MovieKeyword.objects.create(movie=film, keyword=Keyword.objects.create(name=name), weight=weight)
    credit(film, "Holly Hunter", "cast")
    credit(film, "Jane Campion", "writer")
    credit(film, "Jane Campion", "director")
    told, bare = film_texts(index(*films[:2]))
    assert told == (
        "Story 0 of Rivers. Comedy. A pianist comes to New Zealand. colony, piano. Jane Campion, Holly Hunter"
    )
    assert bare == "Story 1 of Rivers. Drama"


def test_names_the_first_of_the_cast_and_the_keywords_of_most(
    films: list[Movie], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "KEYWORDS_READ", 1)
    for number, name in enumerate(("one", "two")):
        keyword = Keyword.objects.create(name=name)
        MovieKeyword.objects.create(movie=films[1], keyword=keyword, weight=number + 1)
        credit(films[1], f"Actor {name}", "cast", position=texts.CAST_READ - 1 + number)
    assert film_texts(index(films[1])) == ["Story 1 of Rivers. Drama. two. Actor one"]


def test_a_film_that_is_not_there_has_no_text(films: list[Movie]) -> None:
    unknown = ItemIndex(np.array([films[0].pk, 10**9]))
    assert film_texts(unknown) == ["Story 0 of Rivers. Comedy", ""]


def test_asks_as_often_for_many_films_as_for_one(films: list[Movie]) -> None:
    counts = []
    for asked in (films[:1], films):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            film_texts(index(*asked))
        counts.append(len(queries))
    assert counts == [4, 4]
