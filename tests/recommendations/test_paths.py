"""The reasons of the arm that goes by what films share."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Entity, Keyword, Movie, MovieKeyword, MoviePerson, Person, Triple
from apps.catalog.services import update_movie
from apps.experiments.services import change_policy
from apps.recommendations.paths import Shared, sentence
from apps.recommendations.reasons import Lead, reason_of
from apps.recommendations.slates import Reason, Slot
from apps.training.services import train
from tests.callers import bearer
from tests.factories import make_staff
from tests.house import House
from tests.recommendations.test_recommend import ask

DIRECTOR = "Jacques <b>Tourneur</b>"


def link_by_producer(films: list[Movie]) -> None:
    somebody = Entity.objects.create(key="freebase:m.1", kind="person")
    for film in films:
        head = Entity.objects.create(key=f"film:{film.pk}", kind="film", movie=film)
        Triple.objects.create(head=head, relation="producer", tail=somebody)


@pytest.fixture
def described(house: House) -> House:
    """The house with a director, a keyword and a nameless producer, served by ``graph`` alone.

    Each is shared by a film that the fan liked and one that the fan has not seen.
    """
    director, fog = Person.objects.create(name=DIRECTOR), Keyword.objects.create(name="fog")
    for film in (house.horror[0], house.horror[5]):
        MoviePerson.objects.create(movie=film, person=director, role="director")
    for film in (house.horror[1], house.horror[6]):
        MovieKeyword.objects.create(movie=film, keyword=fog)
    link_by_producer([house.horror[2], house.horror[7]])
    train()
    change_policy(
        strategy={"policy": "fixed", "arms": {"graph": 1.0}},
        recipe="standard",
        reason="a test",
        by=make_staff(),
    )
    return house


def reasons(fan: User) -> dict[int, Reason]:
    return {slot.movie_id: slot.reason for slot in ask(fan, n=20).slots}


def test_a_slate_owes_a_film_to_a_path_that_names_a_thing(described, fan):
    def is_owed(slot: Slot) -> bool:
        path = slot.reason.path
        return slot.algorithm == "graph" and path is not None and path.entity in slot.reason.text != ""

    assert any(is_owed(slot) for slot in ask(fan).slots)


def test_a_reason_names_the_way(described, fan):
    found = reasons(fan)
    liked, films = described.horror[:3], described.horror
    assert found[films[5].pk].text == f"Same director as Fright 0: {DIRECTOR}"
    assert found[films[6].pk].text == "Also tagged fog, like Fright 1"
    assert found[films[7].pk].text == "Same producer as Fright 2"
    assert found[films[5].pk].movie_ids[0] == liked[0].pk
    assert set(found[films[5].pk].movie_ids) == {film.pk for film in liked}


def test_the_api_says_of_what_kind_the_way_is(described, fan):
    answer = bearer(fan).send("GET", "/api/v1/movies/recommendations?n=20").json()
    found = {slot["movie_id"]: slot["reason"] for slot in answer["recommendations"]}
    film, nameless = described.horror[5], described.horror[7]
    assert found[film.pk]["kind"] == "path"
    assert found[film.pk]["path"] == {"relation": "director", "entity": DIRECTOR}
    assert found[nameless.pk]["path"] == {"relation": "producer", "entity": None}


def test_a_path_never_names_a_hidden_film(described, fan):
    update_movie(movie=described.horror[0], by=None, is_available=False)
    assert not any("Fright 0" in reason.text for reason in reasons(fan).values())
    assert reasons(fan)[described.horror[5].pk].kind == "because_you_liked"


def test_costs_no_query_more_than_another_arm(described, fan):
    for algorithm in ("svd", "graph"):
        ask(fan, algorithm=algorithm)
    assert count_queries(fan, "graph") == count_queries(fan, "svd")


def count_queries(fan: User, algorithm: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask(fan, algorithm=algorithm)
    return len(queries)


def test_a_page_escapes_what_the_catalogue_calls_a_thing(described, fan):
    browser = Client()
    browser.force_login(fan)
    page = browser.get("/").content.decode()
    assert "Same director as Fright 0: Jacques &lt;b&gt;Tourneur&lt;/b&gt;" in page
    assert DIRECTOR not in page


def test_a_film_that_only_ratings_lead_to_has_the_usual_reason():
    titles = {7: "Fargo"}
    assert reason_of(Lead(liked=(7,)), titles).text == "Because you liked Fargo"
    shared = Lead(liked=(7,), shared=Shared(7, "country", "France"))
    assert reason_of(shared, titles) == Reason(
        "path", "Also from France, like Fargo", (7,), path=Shared(7, "country", "France")
    )


@pytest.mark.parametrize(
    ("relation", "entity", "text"),
    [
        ("director", "Joel {Coen}", "Same director as Fargo: Joel {Coen}"),
        ("director", "", "Same director as Fargo"),
        ("cast", "Frances McDormand", "With Frances McDormand, like Fargo"),
        ("keyword", "snow", "Also tagged snow, like Fargo"),
        ("genre", "Crime", "Crime, like Fargo"),
        ("decade", "1990", "Also of the 1990s, like Fargo"),
        ("language", "en", "Same language as Fargo"),
        ("series", "Fargo Collection", "Same series as Fargo: Fargo Collection"),
        ("sequel", "Fargo 2", "Same series as Fargo"),
        ("won", "Best Film", "Also won Best Film, like Fargo"),
        ("mood", "gloom", "Has gloom in common with Fargo"),
        ("mood", "", "Has something in common with Fargo"),
    ],
)
def test_ways_in_words(relation, entity, text):
    assert sentence(Shared(1, relation, entity), "Fargo") == text
