"""The home page: who is shown what, and what it costs."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.events.models import RecommendationEvent, Slate, Surface
from tests.factories import make_movie, make_rating, make_user
from tests.house import House
from tests.pages.conftest import rate, say

TRANSACTION = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")


def home(client: Client) -> Any:
    return client.get("/").context["home"]


def test_says_how_to_load_films_when_there_are_none(client: Client, db: None) -> None:
    page = client.get("/").content.decode()
    assert "manage.py load_movielens demo" in page
    assert "Popular" not in page


def test_shows_popular_films_without_a_model(visitor: Client, db: None) -> None:
    film = make_movie("Alien", year=1979)
    assert [card.movie_id for card in home(visitor).popular] == [film.pk]


def test_invites_a_first_time_visitor_to_rate(visitor: Client, house: House) -> None:
    response = visitor.get("/")
    assert "Rate five films" in response.content.decode()
    assert response.context["home"].for_you == ()
    assert len(response.context["home"].popular) == 12


def test_logs_nothing_for_a_first_hit(client: Client, house: House) -> None:
    assert home(client).popular
    assert not Slate.objects.exists()


def test_logs_what_a_visitor_with_a_cookie_was_shown(visitor: Client, house: House) -> None:
    cards = home(visitor).popular
    logged = RecommendationEvent.objects.filter(slate__surface=Surface.HOME_POPULAR)
    assert [card.event_id for card in cards] == list(logged.order_by("position").values_list("pk", flat=True))


def test_makes_no_row_for_somebody_who_only_looks(visitor: Client, house: House) -> None:
    before = User.objects.count()
    home(visitor)
    assert User.objects.count() == before


def test_shows_films_for_the_viewer_after_the_first_rating(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 5)
    shown = home(visitor)
    assert shown.n_rated == 1
    assert {card.reason for card in shown.for_you[:4]} == {"Because you liked Fright 0"}


def test_changes_the_very_next_list(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 5)
    before = [card.movie_id for card in home(visitor).for_you]
    rate(visitor, house.comedy[0], 5)
    after = [card.movie_id for card in home(visitor).for_you]
    assert before != after
    assert house.comedy[0].pk not in after


def test_shows_no_film_twice(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 5)
    shown = home(visitor)
    ids = [card.movie_id for card in [*shown.for_you, *shown.popular]]
    assert len(ids) == len(set(ids)) == 24


def test_expects_stars_only_of_somebody_it_knows(visitor: Client, house: House) -> None:
    assert {card.expected for card in home(visitor).popular} == {None}
    rate(visitor, house.horror[0], 5)
    assert all(card.expected for card in home(visitor).for_you)


def test_escapes_titles(visitor: Client, db: None) -> None:
    make_movie("<script>alert(1)</script>")
    page = visitor.get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_answers_a_rating_by_htmx_with_the_rows_alone(visitor: Client, house: House) -> None:
    response = say(visitor, house.horror[0], htmx_target="rows", kind="rate", value="4.5")
    page = response.content.decode()
    assert "<html" not in page
    assert 'id="for-you"' in page
    assert "You gave Fright 0 4.5 stars." in page


@pytest.mark.parametrize("n_rated", [2, 9])
def test_takes_at_most_twelve_queries_however_much_is_rated(
    client: Client, house: House, settings: Any, n_rated: int
) -> None:
    settings.VERSION_TTL_SECONDS = 60.0
    viewer = make_user()
    client.force_login(viewer)
    for movie in house.horror[:n_rated]:
        make_rating(viewer, movie, 4.5)
    client.get("/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/")
    queries = [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION)]
    assert len(queries) == 12, queries


def test_does_not_count_a_bot(house: House) -> None:
    bot = Client(headers={"User-Agent": "Examplebot/1.0"})
    response = bot.get("/")
    assert response.status_code == 200
    assert "unit" not in response.cookies
    assert not Slate.objects.exists()


def test_forgets_a_forged_cookie(client: Client, house: House) -> None:
    client.cookies["unit"] = f"{uuid.uuid4().hex}:forged"
    client.get("/")
    assert not Slate.objects.exists()
