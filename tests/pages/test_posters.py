"""Posters: drawn here, or TMDB's where the site is told to show them."""

import os
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.posters import tmdb_poster
from apps.pages.posters import design_poster
from apps.pages.posters.design import STYLES, TITLE_WIDTH, _width
from tests.factories import make_movie

GENRES = [*STYLES, "(no genres listed)", ""]
TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)


@given(st.integers(1, 2**63 - 1), TITLES, st.none() | st.integers(1870, 2100), st.sampled_from(GENRES))
def test_is_well_formed_whatever_the_film_is_called(
    movie_id: int, title: str, year: int | None, genre: str
) -> None:
    poster = design_poster(movie_id=movie_id, title=title, year=year, genres=[genre])
    svg = ElementTree.fromstring(render_to_string("posters/poster.svg", {"poster": poster}))  # noqa: S314 - ours
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"


@given(TITLES)
def test_keeps_the_title_on_the_poster(title: str) -> None:
    poster = design_poster(movie_id=1, title=title, year=None, genres=[])
    assert len(poster.lines) <= 5
    assert all(_width(line.text) * poster.font_size <= TITLE_WIDTH + 1 for line in poster.lines)


def test_draws_the_same_film_the_same_way() -> None:
    first, second = (design_poster(movie_id=7, title="Alien", year=1979, genres=["Horror"]) for _ in range(2))
    assert first == second


def test_draws_films_of_a_genre_apart() -> None:
    posters = {
        design_poster(movie_id=n, title="Alien", year=1979, genres=["Drama"]).layers for n in range(40)
    }
    assert len(posters) == 40


@pytest.mark.django_db
def test_serves_an_image_that_browsers_keep(client: Client) -> None:
    film = make_movie("<script>alert(1)</script>", genres=["Horror"])
    response = client.get(f"/poster/{film.pk}.svg")
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["Cache-Control"] == "public, max-age=86400"
    assert not response.cookies
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert b"<script" not in response.content


@pytest.mark.django_db
def test_a_hidden_film_has_no_poster_since_that_shows_its_title(client: Client) -> None:
    film = make_movie("Nosferatu", is_available=False)
    assert client.get(f"/poster/{film.pk}.svg").status_code == 404


@pytest.mark.django_db
def test_has_no_poster_of_no_film(client: Client) -> None:
    assert client.get("/poster/1.svg").status_code == 404


TMDB = "https://image.tmdb.org/t/p/w342"


def test_shows_no_poster_of_another_host_unless_told_to(client: Client, db: None) -> None:
    film = make_movie("Alien", poster_path="/vfrQk5IPloGg1v9Rzbh2Eg3VGyM.jpg")
    for path in ("/", "/browse", f"/film/{film.pk}"):
        assert f'src="/poster/{film.pk}.svg"' in client.get(path).content.decode()
    assert client.get(f"/api/v1/movies/{film.pk}").json()["poster_url"].endswith(f"/poster/{film.pk}.svg")


def test_shows_tmdbs_posters_where_told_to_and_its_own_for_the_rest(
    client: Client, db: None, settings: Any
) -> None:
    settings.TMDB_IMAGE_URL = TMDB
    film = make_movie("Alien", poster_path="/vfrQk5IPloGg1v9Rzbh2Eg3VGyM.jpg")
    plain = make_movie("Aliens")
    image = f"{TMDB}/vfrQk5IPloGg1v9Rzbh2Eg3VGyM.jpg"
    home = client.get("/").content.decode()
    assert f'src="{image}"' in home
    assert f'src="/poster/{plain.pk}.svg"' in home
    assert f'src="{image}"' in client.get(f"/film/{film.pk}").content.decode()
    assert client.get(f"/api/v1/movies/{film.pk}").json()["poster_url"] == image


@pytest.mark.parametrize(("address", "says"), [("", False), (TMDB, True)])
def test_says_whether_another_host_sees_its_visitors(
    client: Client, db: None, settings: Any, address: str, says: bool
) -> None:
    settings.TMDB_IMAGE_URL = address
    page = client.get("/about").content.decode()
    assert ("Posters are loaded from TMDB" in page) is says
    assert ("Nothing is loaded from, or sent to, any other site." in page) is not says


@pytest.mark.parametrize(
    "path", ["", "vfr.jpg", "//evil.example/a.jpg", "/../a.jpg", "/a.jpg?x=1", "/a.svg", 'https://x/a.jpg"']
)
def test_takes_nothing_but_a_path_of_tmdb_for_one(settings: Any, path: str) -> None:
    settings.TMDB_IMAGE_URL = TMDB
    assert tmdb_poster(path) is None


@pytest.mark.parametrize(
    ("address", "sources"),
    [("", "img-src 'self' data:;"), (TMDB, "img-src 'self' data: https://image.tmdb.org;")],
)
def test_the_content_policy_names_the_host_only_where_it_is_used(address: str, sources: str) -> None:
    script = "from csp.utils import build_policy; print(build_policy() + ';')"
    printed = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {script}"],
        env=os.environ
        | {"TMDB_IMAGE_URL": address, "DJANGO_SETTINGS_MODULE": "recommender_site.settings.test"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert sources in printed
