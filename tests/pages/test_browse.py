"""Looking through all films, by filters in the address."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.factories import make_movie, make_rating, make_user
from tests.pages.conftest import rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def films() -> list[Movie]:
    return [
        make_movie("Ringu", year=1998, genres=["Horror", "Mystery"], language="ja"),
        make_movie("Scream", year=1996, genres=["Horror", "Comedy"], language="en"),
        make_movie("Airplane!", year=1980, genres=["Comedy"], language="en"),
        make_movie("Heat", genres=["Crime"]),
        make_movie("Hidden", year=1990, genres=["Horror"], is_available=False),
    ]


def titles(response: HttpResponse) -> list[str]:
    return [card.title for card in response.context["found"].cards]  # type: ignore[attr-defined]


def browse(client: Client, query: str = "") -> Any:
    return client.get(f"/browse?{query}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Airplane!", "Heat", "Ringu", "Scream"]),
        ("genre=Horror", ["Ringu", "Scream"]),
        ("genre=horror&genre=COMEDY", ["Scream"]),
        ("genre=Horror,Comedy", ["Scream"]),
        ("exclude_genre=Comedy&exclude_genre=Crime", ["Ringu"]),
        ("year_min=1990", ["Ringu", "Scream"]),
        ("year_min=1990&year_max=1996", ["Scream"]),
        ("language=JA", ["Ringu"]),
    ],
)
def test_shows_what_the_filters_leave(
    client: Client, films: list[Movie], query: str, found: list[str]
) -> None:
    page = browse(client, f"{query}&ordering=title")
    assert titles(page) == found
    assert f"{len(found)} film" in page.content.decode()


@pytest.mark.parametrize(
    "query", ["genre=Horror", "exclude_genre=Comedy,Crime", "year_min=1990&year_max=1996", "language=ja"]
)
def test_finds_what_the_api_finds_by_the_same_address(client: Client, films: list[Movie], query: str) -> None:
    for ordering in ("-popularity", "-vote_average", "-year", "title"):
        address = f"{query}&ordering={ordering}"
        results = client.get(f"/api/v1/movies?{address}").json()["results"]
        assert titles(browse(client, address)) == [movie["title"] for movie in results]


def test_orders_by_what_the_address_says(client: Client, films: list[Movie]) -> None:
    make_rating(movie=films[2], value=5)
    assert titles(browse(client))[0] == "Airplane!"
    assert titles(browse(client, "ordering=-year")) == ["Ringu", "Scream", "Airplane!", "Heat"]
    assert titles(browse(client, "ordering=title")) == ["Airplane!", "Heat", "Ringu", "Scream"]
    assert titles(browse(client, "ordering=password")) == titles(browse(client))


def test_says_how_many_films_another_genre_leaves(client: Client, films: list[Movie]) -> None:
    genres = browse(client, "genre=Horror&ordering=title").context["found"].genres
    assert [(genre.name, genre.count, genre.href) for genre in genres] == [
        ("Comedy", 1, "/browse?genre=Horror&genre=Comedy&ordering=title"),
        ("Crime", 0, "/browse?genre=Horror&genre=Crime&ordering=title"),
        ("Mystery", 1, "/browse?genre=Horror&genre=Mystery&ordering=title"),
    ]


def test_offers_no_genre_where_none_leaves_a_film(client: Client, films: list[Movie]) -> None:
    assert 'aria-label="Genres"' in browse(client, "genre=Horror").content.decode()
    alone = browse(client, "genre=Crime")
    assert titles(alone) == ["Heat"]
    assert 'aria-label="Genres"' not in alone.content.decode()


def test_takes_each_filter_away_by_a_link(client: Client, films: list[Movie]) -> None:
    page = browse(client, "genre=Horror&exclude_genre=Comedy&year_min=1990&year_max=2000&language=ja")
    assert [choice.name for choice in page.context["found"].active] == [
        "Horror",
        "not Comedy",
        "from 1990",
        "to 2000",
        "Japanese",
    ]
    first = page.context["found"].active[0]
    assert first.href == "/browse?exclude_genre=Comedy&year_min=1990&year_max=2000&language=ja"


def test_says_what_to_loosen_when_nothing_is_left(client: Client, films: list[Movie]) -> None:
    page = browse(client, "genre=Horror&genre=Crime&year_max=2000")
    looser = page.context["found"].looser
    assert [(choice.name, choice.count) for choice in looser] == [("Crime", 2)]
    text = page.content.decode()
    assert "No film is all of that" in text
    assert '<a href="/browse?genre=Horror&amp;year_max=2000">without “Crime”</a>: 2 films' in text


def test_says_that_one_filter_less_is_not_enough(client: Client, films: list[Movie]) -> None:
    page = browse(client, "genre=Western&genre=War").content.decode()
    assert "Leaving out a single filter is not enough." in page


def test_says_that_no_films_are_loaded(client: Client) -> None:
    assert "No films are loaded yet" in browse(client).content.decode()


@pytest.mark.parametrize("year", ["x", "0", "99999", "1e3", "-5", "\x00", "１９９０x"])
def test_says_which_year_cannot_be_read_and_leaves_it_out(
    client: Client, films: list[Movie], year: str
) -> None:
    page = client.get("/browse", {"year_min": year})
    assert len(titles(page)) == 4
    assert 'id="id_year_min_error"' in page.content.decode()
    assert '<details class="filters__more" open>' in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"genre": "<script>alert(1)</script>"},
        {"genre": "\x00"},
        {"genre": "x" * 500},
        {"exclude_genre": "'; DROP TABLE movies; --"},
        {"language": "\x00"},
        {"language": "<b>"},
        {"page": "-1"},
        {"page": "x"},
        {"ordering": "\x00"},
    ],
)
def test_survives_any_filter(client: Client, films: list[Movie], query: dict[str, str]) -> None:
    page = client.get("/browse", query)
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def test_keeps_the_filters_from_page_to_page(client: Client) -> None:
    for number in range(25):
        make_movie(f"Alien {number}", genres=["Sci-Fi & more"])
    page = browse(client, "genre=Sci-Fi+%26+more&ordering=title").content.decode()
    assert 'href="?genre=Sci-Fi+%26+more&amp;ordering=title&amp;page=2"' in page
    assert len(titles(browse(client, "genre=Sci-Fi+%26+more&page=2"))) == 1


def test_offers_languages_where_there_are_several(client: Client, films: list[Movie]) -> None:
    found = browse(client).context["found"]
    assert [(one.code, one.name) for one in found.languages] == [("en", "English"), ("ja", "Japanese")]
    Movie.objects.filter(language="ja").update(language="en")
    assert browse(client).context["found"].languages == []


def test_shows_the_viewers_own_stars(client: Client, films: list[Movie]) -> None:
    viewer = make_user()
    client.force_login(viewer)
    make_rating(viewer, films[0], 3.5)
    page = browse(client, "genre=Mystery")
    assert [card.rating for card in page.context["found"].cards] == [3.5]
    assert 'value="3.5"' in page.content.decode()


def test_takes_stars_by_plain_form_and_comes_back(visitor: Client, films: list[Movie]) -> None:
    page = browse(visitor, "genre=Mystery").content.decode()
    assert 'name="next" value="/browse?genre=Mystery"' in page
    response = rate(visitor, films[0], 4, next="/browse?genre=Mystery")
    assert response.headers["Location"] == "/browse?genre=Mystery"
    assert Rating.objects.get().value == 4


def test_answers_stars_by_htmx_with_the_card_alone(visitor: Client, films: list[Movie]) -> None:
    page = rate(visitor, films[0], 4, htmx_target=f"card-{films[0].pk}").content.decode()
    assert "<html" not in page
    assert page.count("<article") == 1
    assert 'value="4.0"' in page
    assert "You gave Ringu 4 stars." in page


@pytest.mark.parametrize("n_films", [2, 40])
@pytest.mark.parametrize("query", ["", "genre=Horror&exclude_genre=War&year_min=1950"])
def test_takes_as_many_queries_however_many_films(client: Client, n_films: int, query: str) -> None:
    """The count, the ids, the cards, the viewer's stars, the genres, their counts, the languages; and
    session and user."""
    for _ in range(n_films):
        make_movie(genres=["Horror", "Comedy"], year=1990)
    client.force_login(make_user())
    with CaptureQueriesContext(connection) as captured:
        browse(client, query)
    assert len(captured) == 9, [query["sql"] for query in captured]
