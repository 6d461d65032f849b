"""The list of one's own ratings."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_movie, make_rating, make_user
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db


def rows(client: Client) -> list[tuple[str, Any]]:
    return [(card.title, card.rating) for card in client.get("/ratings").context["cards"]]


def test_sends_somebody_without_ratings_to_the_films(client: Client) -> None:
    assert "You have not rated a film yet." in client.get("/ratings").content.decode()


def test_lists_ones_own_the_latest_first(visitor: Client) -> None:
    for title, stars in (("Alien", 4.5), ("Brazil", 2)):
        rate(visitor, make_movie(title), stars)
    make_rating(make_user(), make_movie("Somebody else's"))
    assert rows(visitor) == [("Brazil", 2.0), ("Alien", 4.5)]


def test_removes_one_and_comes_back(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 4)
    response = say(visitor, film, kind="unrate", next="/ratings")
    assert response.headers["Location"] == "/ratings"
    assert rows(visitor) == []


@pytest.mark.parametrize("n_rated", [2, 20])
def test_takes_as_many_queries_for_many_as_for_few(client: Client, n_rated: int) -> None:
    viewer = make_user()
    client.force_login(viewer)
    for _ in range(n_rated):
        make_rating(viewer, make_movie(genres=["Horror", "Comedy"]))
    with CaptureQueriesContext(connection) as captured:
        client.get("/ratings")
    assert len(captured) == 5, [query["sql"] for query in captured]
