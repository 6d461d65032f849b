from typing import Any

import pytest
from django.test import Client

from tests.factories import make_movie, make_rating, make_staff

pytestmark = pytest.mark.django_db


def titles(client: Client, query: dict[str, Any]) -> list[str]:
    return [movie["title"] for movie in client.get("/api/v1/movies", query).json()["results"]]


@pytest.mark.parametrize("text", ["", " ", "\t "])
def test_a_blank_search_lists_all_films_most_rated_first(client: Client, text: str) -> None:
    make_movie("Alien")
    make_rating(movie=make_movie("Brazil"))
    assert titles(client, {"search": text}) == titles(client, {}) == ["Brazil", "Alien"]
    assert titles(client, {"search": text, "ordering": "title"}) == ["Alien", "Brazil"]
    assert titles(client, {"search": "ali"}) == ["Alien"]


def test_the_address_of_a_poster_is_whole(client: Client) -> None:
    movie = make_movie("Alien")
    poster = f"http://testserver/poster/{movie.pk}.svg"
    assert client.get("/api/v1/movies").json()["results"][0]["poster_url"] == poster
    assert client.get(f"/api/v1/movies/{movie.pk}").json()["poster_url"] == poster
    assert client.get(poster).headers["Content-Type"] == "image/svg+xml"
    client.force_login(make_staff(permissions=["catalog.change_movie"]))
    changed = client.patch(f"/api/v1/movies/{movie.pk}", {"year": 1979}, "application/json", secure=True)
    assert changed.json()["poster_url"] == poster.replace("http:", "https:")


def test_several_genres_narrow_and_several_excluded_keep_out(client: Client) -> None:
    make_movie("Scream", genres=["Horror", "Comedy"])
    make_movie("Ringu", genres=["Horror", "Mystery"])
    make_movie("Heat", genres=["Crime"])
    assert titles(client, {"genre": "horror, Comedy"}) == ["Scream"]
    assert titles(client, {"exclude_genre": "comedy,crime,"}) == ["Ringu"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"genre": ",".join(f"g{number}" for number in range(11))}, "At most 10 genres can be given."),
        ({"genre": "Nope"}, "There is no genre 'Nope'; GET /movies shows each film's genres"),
        ({"exclude_genre": "Nope"}, "There is no genre 'Nope'; GET /movies shows each film's genres"),
        ({"year_min": "1990", "year_max": "1980"}, "year_min 1990 lies after year_max 1980"),
        ({"exclude_genre": "x" * 61}, "A genre's name has at most 60 characters."),
    ],
)
def test_refuses_what_no_film_could_be(client: Client, query: dict[str, str], detail: str) -> None:
    response = client.get("/api/v1/movies", query)
    assert (response.status_code, response.json()["detail"]) == (400, detail)
