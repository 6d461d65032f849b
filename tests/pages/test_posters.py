"""Drawn posters."""

from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

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
def test_has_no_poster_of_no_film(client: Client) -> None:
    assert client.get("/poster/1.svg").status_code == 404
