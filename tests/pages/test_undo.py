"""Undo: what was just said of a film is taken back by the message that confirmed it."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.events.models import RecommendationEvent
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb
from tests.factories import make_movie, make_user
from tests.house import House
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db

FORM = re.compile(r'<form class="undo"(?P<head>[^>]*)>(?P<body>.*?)</form>', re.DOTALL)


def undo_form(page: str) -> tuple[str, dict[str, str]]:
    """Where the one undo form of a page goes to, and what it sends."""
    (form,) = FORM.finditer(page)
    action = re.search(r'action="([^"]+)"', form["head"])
    assert action
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form["body"]))
    button = re.search(r'name="kind" value="(\w+)">Undo<', form["body"])
    assert button
    return action[1], fields | {"kind": button[1]}


def undo(client: Client, page: str, **headers: str) -> Any:
    path, data = undo_form(page)
    return client.post(path, data, headers=headers)


def test_takes_a_dismissal_back_without_script(visitor: Client) -> None:
    film = make_movie("Alien")
    say(visitor, film, kind="dismiss", next="/search?q=alien")
    page = visitor.get("/search?q=alien").content.decode()
    assert "Alien will not be recommended to you again." in page
    assert undo_form(page)[1]["next"] == "/search?q=alien"
    assert undo(visitor, page).headers["Location"] == "/search?q=alien"
    assert not Dismissal.objects.get().is_active
    assert "Alien may be recommended to you again." in visitor.get("/").content.decode()


def test_offers_the_way_back_in_the_part_that_htmx_exchanges(visitor: Client, house: House) -> None:
    card = visitor.get("/").context["home"].popular[0]
    film = next(one for one in [*house.horror, *house.comedy] if one.pk == card.movie_id)
    swapped = say(visitor, film, htmx_target="rows", kind="dismiss", event_id=card.event_id)
    page = swapped.content.decode()
    assert 'hx-target="#rows"' in FORM.search(page)["head"]  # type: ignore[index]
    assert undo_form(page)[1]["event_id"] == str(card.event_id)
    undo(visitor, page, **{"HX-Request": "true", "HX-Target": "rows"})
    assert not Dismissal.objects.get().is_active
    assert not RecommendationEvent.objects.get(pk=card.event_id).dismissed


def test_gives_back_the_stars_of_before(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 3.5)
    visitor.get("/about")
    for kind, value in (("rate", "1"), ("unrate", "")):
        say(visitor, film, kind=kind, value=value)
        undo(visitor, visitor.get("/about").content.decode())
        assert Rating.objects.get().value == 3.5
        visitor.get("/about")


def test_takes_a_first_rating_away_again(visitor: Client) -> None:
    rate(visitor, make_movie("Alien"), 3.5)
    undo(visitor, visitor.get("/about").content.decode())
    assert Rating.objects.get().value is None


@pytest.mark.parametrize(("before", "direction"), [("thumbs_up", 1), ("thumbs_down", -1)])
def test_turns_a_thumb_back(visitor: Client, before: str, direction: int) -> None:
    film = make_movie("Alien")
    say(visitor, film, kind=before)
    visitor.get("/about")
    say(visitor, film, kind="thumbs_clear")
    undo(visitor, visitor.get("/about").content.decode())
    assert Thumb.objects.get().direction == direction


def test_takes_a_favourite_back(visitor: Client) -> None:
    say(visitor, make_movie("Alien"), kind="favorite")
    undo(visitor, visitor.get("/about").content.decode())
    assert not Favorite.objects.get().is_active


def test_offers_nothing_where_nothing_changed(visitor: Client) -> None:
    for kind in ("unrate", "thumbs_clear"):
        say(visitor, make_movie(), kind=kind)
        assert not FORM.search(visitor.get("/about").content.decode())


def test_offers_no_wrong_way_back_to_the_second_of_a_double_click(visitor: Client) -> None:
    film, same = make_movie("Alien"), uuid.uuid4().hex
    rate(visitor, film, 2, client_id=same)
    visitor.get("/about")
    rate(visitor, film, 2, client_id=same)
    assert not FORM.search(visitor.get("/about").content.decode())


def test_the_button_of_one_visitor_does_nothing_to_another(visitor: Client) -> None:
    film = make_movie("Alien")
    say(visitor, film, kind="dismiss")
    page = visitor.get("/about").content.decode()
    stranger = Client()
    stranger.force_login(make_user("stranger"))
    undo(stranger, page)
    mine = User.objects.get(is_guest=True)
    assert Dismissal.objects.get(user=mine).is_active


def test_needs_the_csrf_token(visitor: Client) -> None:
    say(visitor, make_movie("Alien"), kind="dismiss")
    path, data = undo_form(visitor.get("/about").content.decode())
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.cookies
    data.pop("csrfmiddlewaretoken")
    assert strict.post(path, data).status_code == 403
    assert Dismissal.objects.get().is_active
