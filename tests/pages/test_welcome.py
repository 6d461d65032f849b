"""The first ten films: asked by groups, rated or not seen, left and taken up again."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.ratings.models import Rating, Unseen
from tests.factories import PASSWORD, make_movie, make_rating, make_user
from tests.house import House
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db


def welcome(client: Client, group: str = "") -> Any:
    return client.get("/welcome", {"group": group} if group else {}).context["welcome"]


def asked(client: Client, group: str = "") -> list[int]:
    return [card.movie_id for card in welcome(client, group).cards]


def skip(client: Client, movie_id: int, **fields: str) -> Any:
    return client.post(f"/welcome/unseen/{movie_id}", fields)


def rate_some(client: Client, n_films: int) -> None:
    for _ in range(n_films):
        rate(client, make_movie(), 4)


def test_asks_about_films_by_groups(visitor: Client, house: House) -> None:
    shown = welcome(visitor)
    assert [tab.name for tab in shown.tabs] == [
        "A bit of everything",
        "Comedy",
        "Horror",
        "The 1980s",
        "The 1990s",
    ]
    assert len(shown.cards) == 12
    assert set(asked(visitor, "horror")) <= {film.pk for film in house.horror}
    assert len({card.genres for card in shown.cards[:2]}) == 2


def test_takes_a_group_that_is_none_for_a_bit_of_everything(visitor: Client, house: House) -> None:
    for group in ("nothing", "\x00", "<script>x", "x" * 5_000):
        assert welcome(visitor, group).group.slug == "mix"


def test_seats_what_was_rated(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 4.5)
    rate(visitor, house.comedy[0], 2)
    shown = welcome(visitor)
    seated = [(card.movie_id, card.rating) for card in shown.seats if card]
    assert seated == [(house.horror[0].pk, 4.5), (house.comedy[0].pk, 2.0)]
    assert (len(shown.seats), shown.n_missing) == (10, 8)
    assert "2 rated, 8 to go" in visitor.get("/welcome").content.decode()


def test_asks_no_more_about_what_was_rated_or_not_seen(visitor: Client, house: House) -> None:
    first, second, third, *_ = asked(visitor)
    rate(visitor, Movie.objects.get(pk=first), 4)
    skip(visitor, second)
    say(visitor, Movie.objects.get(pk=third), kind="dismiss")
    left = asked(visitor)
    assert not {first, second, third} & set(left)
    assert len(left) == 12


def test_can_be_left_and_taken_up_again(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 4)
    skip(visitor, house.horror[1].pk)
    before = asked(visitor, "horror")
    visitor.get("/")
    visitor.post("/sign-up", {"username": "ada", "password": PASSWORD, "email": ""})
    assert asked(visitor, "horror") == before
    assert welcome(visitor).n_rated == 1


def test_goes_on_in_the_group_without_script(visitor: Client, house: House) -> None:
    page = visitor.get("/welcome?group=horror").content.decode()
    assert set(re.findall(r'name="next" value="([^"]+)"', page)) == {"/welcome?group=horror"}
    response = skip(visitor, house.horror[0].pk, next="/welcome?group=horror")
    assert response.headers["Location"] == "/welcome?group=horror"


def test_ends_at_home_without_script(visitor: Client, house: House) -> None:
    rate_some(visitor, 9)
    page = visitor.get("/welcome").content.decode()
    assert {"/", "/welcome"} == set(re.findall(r'name="next" value="([^"]+)"', page))
    response = rate(visitor, house.horror[0], 5, next="/")
    assert response.headers["Location"] == "/"
    assert visitor.get("/").context["home"].for_you


def test_exchanges_the_films_of_the_group(visitor: Client, house: House) -> None:
    response = rate(visitor, house.horror[0], 4, htmx_target="welcome-horror")
    page = response.content.decode()
    assert "<html" not in page
    assert "1 rated, 9 to go" in page
    assert "You gave Fright 0 4 stars." in page
    assert response.context["welcome"].group.slug == "horror"
    skipped = visitor.post(
        f"/welcome/unseen/{house.horror[1].pk}",
        headers={"HX-Request": "true", "HX-Target": "welcome-horror"},
    )
    assert skipped.context["welcome"].group.slug == "horror"
    assert house.horror[1].pk not in [card.movie_id for card in skipped.context["welcome"].cards]


def test_leads_home_with_the_tenth_film_and_with_no_other(visitor: Client, house: House) -> None:
    rate_some(visitor, 8)
    answers = [rate(visitor, film, 4, htmx_target="welcome-mix") for film in house.horror[:2]]
    assert [answer.headers.get("HX-Redirect") for answer in answers] == [None, "/"]
    assert "You gave Fright 1 4 stars." in visitor.get("/").content.decode()
    eleventh = rate(visitor, house.horror[2], 4, htmx_target="welcome-mix")
    assert "HX-Redirect" not in eleventh.headers


def test_says_when_it_is_enough_and_goes_on_all_the_same(visitor: Client, house: House) -> None:
    rate_some(visitor, 11)
    page = visitor.get("/welcome").content.decode()
    assert "That is enough to begin with" in page
    assert "Your list rests on 11 films." in page
    assert len(asked(visitor)) == 12


def test_says_when_a_group_is_through(visitor: Client) -> None:
    skip(visitor, make_movie("Alien", genres=["Horror"]).pk)
    assert "You have been through these" in visitor.get("/welcome?group=horror").content.decode()


def test_comes_up_without_any_film(visitor: Client) -> None:
    assert visitor.get("/welcome").status_code == 200


def test_does_not_take_what_was_not_seen_for_a_taste(visitor: Client, house: House) -> None:
    skip(visitor, house.horror[0].pk)
    skip(visitor, house.horror[0].pk)
    assert Unseen.objects.get().is_active
    assert not Rating.objects.filter(user__is_guest=True).exists()
    home = visitor.get("/").context["home"]
    assert home.n_rated == 0
    assert not home.for_you


def test_makes_no_row_for_somebody_who_only_looks(visitor: Client) -> None:
    visitor.get("/welcome")
    assert not User.objects.exists()


def test_knows_no_film_that_is_hidden(visitor: Client) -> None:
    film = make_movie(is_available=False)
    assert skip(visitor, film.pk).status_code == 404
    assert skip(visitor, film.pk + 1).status_code == 404


def test_says_it_of_oneself_alone(visitor: Client) -> None:
    other, film = make_user(), make_movie()
    skip(visitor, film.pk, user_id=str(other.pk), user=str(other.pk))
    assert Unseen.objects.get().user != other


def test_leads_to_no_other_site(visitor: Client) -> None:
    response = skip(visitor, make_movie().pk, next="https://evil.example/")
    assert response.headers["Location"] == "/welcome"


def test_is_offered_at_home(visitor: Client, house: House) -> None:
    assert 'href="/welcome">Start with films you know</a>' in visitor.get("/").content.decode()
    rate(visitor, house.horror[0], 4)
    assert 'href="/welcome">choose from films you know</a>' in visitor.get("/").content.decode()


@pytest.mark.parametrize("n_rated", [2, 16])
def test_takes_as_many_queries_for_many_as_for_few(
    client: Client, house: House, settings: Any, n_rated: int
) -> None:
    settings.VERSION_TTL_SECONDS = 60.0
    viewer = make_user()
    client.force_login(viewer)
    for film in house.horror[:n_rated]:
        make_rating(viewer, film)
    client.get("/welcome")
    with CaptureQueriesContext(connection) as captured:
        client.get("/welcome")
    # Who it is (2), what they said (2), the known films (2), the cards.
    assert len(captured) == 7, [query["sql"] for query in captured]
