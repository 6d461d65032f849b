"""The page of surprises: off the viewer's path, others when asked again, and who has no path."""

import uuid
from typing import Any

import pytest
from django.test import Client

from apps.events.models import RecommendationEvent, Slate, Surface
from apps.training import registry
from apps.training.models import ModelVersion
from tests.factories import make_movie, make_rating, make_user
from tests.house import House
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def fan(visitor: Client, house: House) -> Client:
    """A guest who likes horror."""
    for film in house.horror[:3]:
        rate(visitor, film, 5)
    return visitor


def surprise(client: Client, path: str = "/surprise") -> Any:
    return client.get(path).context["surprise"]


def ids(shown: Any) -> list[int]:
    return [card.movie_id for card in shown.cards]


def test_shows_films_unlike_those_liked_and_says_so(fan: Client, house: House) -> None:
    shown = surprise(fan)
    assert set(ids(shown)) <= {film.pk for film in house.comedy}
    assert len(shown.cards) == 12
    assert {card.reason.partition(":")[0] for card in shown.cards} == {"Off your usual path"}
    assert all(card.expected for card in shown.cards)
    assert "Films a step off your usual path" in fan.get("/surprise").content.decode()


def test_does_not_say_so_of_a_list_that_is_mostly_on_the_path(fan: Client) -> None:
    page = fan.get(surprise(fan, surprise(fan).again).again)
    shown = page.context["surprise"]
    kinds = [card.reason.startswith("Off your usual path") for card in shown.cards]
    assert (len(kinds), sum(kinds)) == (5, 0), "the comedies are used up"
    assert "Films a step off your usual path" not in page.content.decode()
    assert "though most of them are no step off your usual path" in page.content.decode()


def test_says_so_where_half_of_the_list_is_off_the_path(fan: Client, house: House) -> None:
    for film in house.comedy[:10]:
        say(fan, film, kind="dismiss")
    page = fan.get("/surprise")
    reasons = [card.reason.partition(":")[0] for card in page.context["surprise"].cards]
    assert reasons.count("Off your usual path") == 6
    assert "Films a step off your usual path" in page.content.decode()


def test_promises_no_liking_to_who_liked_nothing(visitor: Client, house: House) -> None:
    for film in house.horror[:5]:
        rate(visitor, film, 1)
    page = visitor.get("/surprise")
    text = page.content.decode()
    assert "No surprise can be found for you yet: these are popular films." in text
    assert "you should like" not in text
    assert '<a href="/welcome">rate some that you know</a>' in text
    assert {card.reason for card in page.context["surprise"].cards} == {"Popular with everyone here"}


def test_asks_for_no_liking_where_the_model_is_what_is_missing(fan: Client) -> None:
    ModelVersion.objects.update(status="retired", artifact="")
    registry.reset()
    text = fan.get("/surprise").content.decode()
    assert "No surprise can be found for you yet: these are popular films." in text
    assert "It takes a film that you like" not in text


@pytest.mark.parametrize("first_hit", [True, False])
def test_asks_who_has_rated_none_for_five_films(client: Client, house: House, first_hit: bool) -> None:
    if not first_hit:
        client.get("/about")
    page = client.get("/surprise").content.decode()
    assert "Rate five films that you know, and come back." in page
    assert '<a class="button" href="/welcome">Rate films you know</a>' in page
    assert not Slate.objects.exists()


def test_says_how_many_more_make_a_surprise_surer(fan: Client, house: House) -> None:
    assert '<a href="/welcome">Rate 2 more</a>' in fan.get("/surprise").content.decode()
    for film in house.horror[3:5]:
        rate(fan, film, 4)
    assert "more</a>, and the next surprise" not in fan.get("/surprise").content.decode()


@pytest.mark.parametrize("is_account", [True, False])
def test_logs_each_film_on_its_surface_and_counts_none(
    client: Client, house: House, is_account: bool
) -> None:
    viewer = make_user()
    if is_account:
        client.force_login(viewer)
        make_rating(viewer, house.horror[0], 5)
    else:
        client.get("/about")
        rate(client, house.horror[0], 5)
    cards = surprise(client).cards
    slate = Slate.objects.get()
    assert (slate.surface, slate.strategy, slate.counted) == (Surface.SURPRISE, "serendipity", False)
    events = RecommendationEvent.objects.filter(slate=slate).order_by("position")
    assert [card.event_id for card in cards] == list(events.values_list("pk", flat=True))
    assert set(events.values_list("algorithm", flat=True)) == {"serendipity"}


def test_shows_others_each_time_it_is_asked_again(fan: Client) -> None:
    first = surprise(fan)
    second = surprise(fan, first.again)
    third = surprise(fan, second.again)
    shown = [*ids(first), *ids(second), *ids(third)]
    assert len(set(shown)) == len(shown) == 29, "every film there is but the three rated"
    assert Slate.objects.order_by("pk").values_list("overridden_by", flat=True)[1] == "exclude"
    page = fan.get("/surprise")
    link = f'<a class="button" href="{page.context["surprise"].again}">Surprise me again</a>'
    assert link in page.content.decode()


def test_says_when_the_surprises_begin_again(fan: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.pages.surprise.N_LEFT_OUT", 12)
    path, said = "/surprise", []
    for _ in range(3):
        page = fan.get(path)
        said.append("You were shown them before: your surprises begin again here." in page.content.decode())
        path = page.context["surprise"].again
    assert said == [False, False, True]


def test_shows_the_same_when_the_page_is_loaded_again(fan: Client) -> None:
    first = surprise(fan)
    assert ids(surprise(fan, first.again)) == ids(surprise(fan, first.again))
    assert ids(surprise(fan)) == ids(first)


def test_says_when_there_are_no_more(fan: Client) -> None:
    path = "/surprise"
    for _ in range(3):
        path = surprise(fan, path).again
    page = fan.get(path).content.decode()
    assert "No more surprises" in page
    assert '<a class="button" href="/surprise">Begin again</a>' in page


def test_a_list_of_somebody_else_takes_nothing_away(fan: Client, house: House) -> None:
    other = Client()
    viewer = make_user()
    make_rating(viewer, house.comedy[0], 5)
    other.force_login(viewer)
    theirs = surprise(other)
    assert len(ids(surprise(fan, theirs.again))) == 12
    assert ids(surprise(fan, f"/surprise?after={uuid.UUID(int=0)}")) == ids(surprise(fan))


@pytest.mark.parametrize("after", ["x", "1,2,3", "\x00", "9" * 5_000, "0193-"])
def test_refuses_what_names_no_list(fan: Client, after: str) -> None:
    answer = fan.get("/surprise", {"after": after})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "This address names no list of surprises. Begin with a new one." in page
    assert '<a class="button" href="/surprise">Begin anew</a>' in page


def test_says_how_to_load_films_when_there_are_none(client: Client) -> None:
    assert "manage.py load_movielens demo" in client.get("/surprise").content.decode()


def test_says_when_every_film_is_rated(visitor: Client) -> None:
    rate(visitor, make_movie("Alien"), 5)
    assert "You have said something of every film here." in visitor.get("/surprise").content.decode()


def test_answers_an_act_by_htmx_with_the_films_alone(fan: Client, house: House) -> None:
    first = surprise(fan)
    second = surprise(fan, first.again)
    card = second.cards[0]
    film = next(one for one in [*house.comedy, *house.horror] if one.pk == card.movie_id)
    answer = say(fan, film, htmx_target=second.target, kind="rate", value="4", event_id=card.event_id)
    page = answer.content.decode()
    assert "<html" not in page
    assert f"You gave {film.title} 4 stars." in page
    assert f'hx-target="#{second.target}"' in page
    again = ids(answer.context["surprise"])
    assert not {*ids(first), film.pk} & set(again), "what came before stays away"


def test_leads_back_after_an_act_without_script(fan: Client) -> None:
    path = surprise(fan).again
    assert f'name="next" value="{path}"' in fan.get(path).content.decode()


@pytest.mark.parametrize("target", ["surprise-", "surprise-x", "surprise-\x00"])
def test_takes_a_part_of_no_list_for_the_first(fan: Client, house: House, target: str) -> None:
    answer = say(fan, house.comedy[0], htmx_target=target, kind="dismiss")
    assert answer.status_code == 200
    assert answer.context["surprise"].after is None


def test_is_linked_from_every_page(client: Client) -> None:
    assert 'href="/surprise">Surprise me</a>' in client.get("/about").content.decode()
