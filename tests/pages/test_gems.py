"""The page of hidden gems: which films, for whom in which order, and what is said there."""

from typing import Any

import pytest
from django.test import Client

from apps.catalog.models import Movie
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.training import registry
from apps.training.models import ModelVersion
from apps.training.services import train
from tests.factories import make_movie, make_rating, make_user
from tests.house import House
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db


def gems(client: Client) -> Any:
    return client.get("/gems").context["gems"]


def ids(shown: Any) -> list[int]:
    return [card.movie_id for card in shown.cards]


@pytest.fixture
def gem_house(house: House) -> House:
    """Three comedies and three horror films are of the long tail, and the model knows it."""
    films = [*house.comedy[13:], *house.horror[13:]]
    Movie.objects.filter(pk__in=[film.pk for film in films]).update(is_long_tail=True)
    train()
    return house


def test_shows_gems_alone_and_the_best_known_first_to_who_has_rated_none(
    visitor: Client, gem_house: House
) -> None:
    page = visitor.get("/gems")
    shown = ids(page.context["gems"])
    assert set(shown) == set(Movie.objects.long_tail().values_list("pk", flat=True))
    counts = dict(Movie.objects.values_list("pk", "rating_count"))
    assert [counts[movie_id] for movie_id in shown] == sorted(map(counts.get, shown), reverse=True)
    assert "They follow your taste from the first film that you like" in page.content.decode()
    cards = page.context["gems"].cards
    assert {(card.reason, card.expected) for card in cards} == {("", None)}


def test_shows_the_viewers_own_kind_first_and_says_why(visitor: Client, gem_house: House) -> None:
    rate(visitor, gem_house.comedy[0], 5)
    page = visitor.get("/gems")
    shown = page.context["gems"]
    assert set(ids(shown)[:3]) == {film.pk for film in gem_house.comedy[13:]}
    assert len(shown.cards) == 6
    assert shown.cards[0].reason == "A hidden gem for people who liked Laugh 0"
    assert all(card.expected for card in shown.cards)
    assert "those closest to your taste first." in page.content.decode()


def test_claims_no_order_of_the_viewers_who_liked_nothing(visitor: Client, gem_house: House) -> None:
    new = ids(gems(visitor))
    for film in gem_house.horror[:5]:
        rate(visitor, film, 1)
    page = visitor.get("/gems")
    assert ids(page.context["gems"]) == new
    text = page.content.decode()
    assert "Highly rated films that few people have voted on, the best known of them first." in text
    assert "They follow your taste from the first film that you like" in text
    assert {card.reason for card in page.context["gems"].cards} == {
        "A hidden gem: highly rated, by few people"
    }


@pytest.mark.parametrize("who", ["visitor", "guest", "account"])
def test_logs_each_film_on_its_surface_and_counts_none(client: Client, gem_house: House, who: str) -> None:
    viewer = make_user()
    if who == "account":
        make_rating(viewer, gem_house.comedy[0], 5)
        client.force_login(viewer)
    client.get("/about")
    if who == "guest":
        rate(client, gem_house.comedy[0], 5)
    cards = gems(client).cards
    slate = Slate.objects.get()
    assert (slate.surface, slate.strategy, slate.counted) == (Surface.GEMS, "long_tail", False)
    events = RecommendationEvent.objects.filter(slate=slate).order_by("position")
    assert [card.event_id for card in cards] == list(events.values_list("pk", flat=True))
    assert set(events.values_list("algorithm", flat=True)) == {"long_tail"}


def test_logs_nothing_for_a_first_hit(client: Client, gem_house: House) -> None:
    assert len(gems(client).cards) == 6
    assert not Slate.objects.exists()


def test_says_how_to_load_films_when_there_are_none(client: Client) -> None:
    assert "manage.py load_movielens demo" in client.get("/gems").content.decode()


def test_says_what_a_gem_is_when_there_is_none(visitor: Client, house: House) -> None:
    page = visitor.get("/gems").content.decode()
    assert "None has come to light yet" in page
    assert not Slate.objects.exists()


def test_says_when_the_viewer_has_been_through_them_all(visitor: Client) -> None:
    film = make_movie("Ringu")
    Movie.objects.update(is_long_tail=True)
    rate(visitor, film, 4)
    assert "You have been through them all" in visitor.get("/gems").content.decode()


def test_shows_gems_without_a_model_and_claims_no_order_of_the_viewers(
    visitor: Client, gem_house: House
) -> None:
    rate(visitor, gem_house.comedy[0], 5)
    ModelVersion.objects.update(status="retired", artifact="")
    registry.reset()
    page = visitor.get("/gems")
    assert len(page.context["gems"].cards) == 6
    assert "the best known of them first." in page.content.decode()
    assert "They follow your taste" not in page.content.decode()


def test_answers_an_act_by_htmx_with_the_films_alone(visitor: Client, gem_house: House) -> None:
    film = gem_house.comedy[13]
    event_id = next(card.event_id for card in gems(visitor).cards if card.movie_id == film.pk)
    page = say(visitor, film, htmx_target="gems", kind="dismiss", event_id=event_id).content.decode()
    assert "<html" not in page
    assert f'id="card-{gem_house.comedy[14].pk}"' in page
    assert f'id="card-{film.pk}"' not in page
    assert 'hx-target="#gems"' in page
    assert RecommendationEvent.objects.get(pk=event_id).dismissed


def test_leads_back_after_an_act_without_script(visitor: Client, gem_house: House) -> None:
    assert 'name="next" value="/gems"' in visitor.get("/gems").content.decode()
    answer = rate(visitor, gem_house.comedy[13], 4, next="/gems")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/gems")


def test_is_linked_from_every_page_and_from_homes_row(visitor: Client, gem_house: House) -> None:
    assert 'href="/gems">Hidden gems</a>' in visitor.get("/about").content.decode()
    page = visitor.get("/").content.decode()
    assert '<a href="/gems">More hidden gems</a>' in page
    assert page.count('<a href="/gems">More') == 1, "no other row has a page of its own"
