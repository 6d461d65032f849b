"""Searching, and looking through all films."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def test_finds_a_film_by_a_word_and_a_year(client: Client) -> None:
    make_movie("Inception", year=2010, genres=["Action"])
    make_movie("Amélie", year=2001)
    assert [card.title for card in client.get("/search", {"q": "amelie"}).context["cards"]] == ["Amélie"]
    page = client.get("/search", {"q": "inception 2010"})
    assert [card.facts for card in page.context["cards"]] == ["2010 · Action"]


def test_says_how_to_search_when_nothing_is_found(client: Client) -> None:
    page = client.get("/search", {"q": "<b>zzz"}).content.decode()
    assert "0 films" in page
    assert "Try fewer words" in page
    assert "&lt;b&gt;zzz" in page
    assert "<b>zzz" not in page


def test_keeps_the_words_from_page_to_page(client: Client) -> None:
    for number in range(25):
        make_movie(f"Alien & {number}")
    page = client.get("/search", {"q": "alien &"}).content.decode()
    assert 'href="?q=alien+%26&amp;page=2"' in page
    assert len(client.get("/search", {"q": "alien &", "page": "2"}).context["cards"]) == 1


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999999999999999999", "\x00"])
def test_shows_some_page_whatever_page_is_asked_for(client: Client, page: str) -> None:
    make_movie("Alien")
    assert len(client.get("/search", {"page": page}).context["cards"]) == 1


@pytest.mark.parametrize("text", ["\x00", "\ud800", "%", "_", "'", "x" * 500, "\u202e", "１２"])
def test_survives_any_text(client: Client, text: str) -> None:
    make_movie("Alien")
    assert client.get("/search", {"q": text.encode("utf-8", "surrogatepass")}).status_code == 200


@pytest.mark.parametrize("n_films", [2, 20])
def test_takes_three_queries_however_many_films_it_shows(client: Client, n_films: int) -> None:
    for _ in range(n_films):
        make_movie(genres=["Horror", "Comedy"])
    with CaptureQueriesContext(connection) as captured:
        client.get("/search")
    assert len(captured) == 3, [query["sql"] for query in captured]
