"""What the search field shows while one types."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_movie, make_rating

pytestmark = pytest.mark.django_db


def suggested(client: Client, text: str) -> str:
    response = client.get("/search/suggestions", {"q": text})
    assert response.status_code == 200
    return response.content.decode()


def test_names_the_first_eight_films_with_their_years(client: Client) -> None:
    films = [make_movie(f"Alien {number}", year=1979 + number) for number in range(9)]
    make_rating(movie=films[4])
    page = suggested(client, "ali")
    assert page.count('href="/film/') == 8
    assert page.index(f'href="/film/{films[4].pk}"') < page.index(f'href="/film/{films[0].pk}"')
    assert "<span>Alien 4</span>" in page
    assert "1983" in page
    assert "8 films suggested" in page
    assert 'href="/search?q=ali"' in page


def test_names_no_hidden_film(client: Client) -> None:
    make_movie("Alien", is_available=False)
    page = suggested(client, "alien")
    assert "No title has words that begin so." in page
    assert "No film suggested" in page


@pytest.mark.parametrize("text", ["", "  "])
def test_says_nothing_to_a_blank_text(client: Client, text: str) -> None:
    make_movie("Alien")
    page = suggested(client, text)
    assert "/film/" not in page
    assert "No title" not in page


@pytest.mark.parametrize("text", ["\x00", "%", "<script>alert(1)</script>", "x" * 500, "a/b?c=d&e"])
def test_survives_any_text(client: Client, text: str) -> None:
    make_movie("<script>alert(1)</script>")
    assert "<script>" not in suggested(client, text)


def test_is_a_part_of_a_page(client: Client) -> None:
    assert "<html" not in suggested(client, "alien")


@pytest.mark.parametrize("n_films", [2, 30])
def test_takes_one_query_however_many_films(client: Client, n_films: int) -> None:
    for number in range(n_films):
        make_movie(f"Alien {number}", genres=["Horror"])
    with CaptureQueriesContext(connection) as captured:
        suggested(client, "alien")
    assert len(captured) == 1, [query["sql"] for query in captured]


def test_the_field_asks_for_them_and_searches_without_a_script(client: Client) -> None:
    page = client.get("/about").content.decode()
    assert 'hx-get="/search/suggestions"' in page
    assert '<form class="search" role="search" method="get" action="/search">' in page
