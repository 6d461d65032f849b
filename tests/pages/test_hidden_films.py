"""A film that staff hide is gone from everything at once, in every process's next answer."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Movie
from apps.experiments.services import change_policy
from tests.callers import bearer
from tests.factories import make_rating, make_staff, make_user
from tests.house import House

pytestmark = pytest.mark.django_db

LISTS = ("/", "/search?q=fright", "/search?q=", "/my-films", "/my-films/favourites", "/my-films/watchlist")


def hide(movie: Movie, action: str = "hide") -> None:
    """As staff do it."""
    staff = Client()
    staff.force_login(make_staff(permissions=["catalog.view_movie", "catalog.change_movie"]))
    form = {"action": action, "_selected_action": [movie.pk], "reason": "No rights any more"}
    assert staff.post(reverse("admin:catalog_movie_changelist"), form).status_code == 302


def viewer_of(house: House) -> tuple[Client, Any]:
    """Somebody who likes horror, rated the first film of it and keeps it on every list."""
    viewer = make_user()
    for film in house.horror[:3]:
        make_rating(viewer, film, 5.0)
    browser, program = Client(), bearer(viewer)
    browser.force_login(viewer)
    for name in ("favorites", "watchlist"):
        assert program.send("PUT", f"/api/v1/{name}/{house.horror[0].pk}").status_code < 300
    return browser, program


def shown_on(browser: Client, movie: Movie) -> list[str]:
    link = re.compile(rf'href="/film/{movie.pk}\b')
    return [path for path in LISTS if link.search(browser.get(path).content.decode())]


def films_of(program: Any, path: str) -> set[int]:
    body = program.send("GET", f"/api/v1/{path}").json()
    rows = body if isinstance(body, list) else body.get("recommendations", body.get("results"))
    return {row.get("movie_id", row.get("id")) for row in rows}


def answers_with(program: Any, movie: Movie, other: Movie) -> list[str]:
    paths = (
        "movies?search=fright&page_size=100",
        "movies?page_size=100",
        "movies/recommendations?n=40",
        f"movies/{other.pk}/similar?n=40",
        "favorites",
        "watchlist",
        "ratings",
    )
    return [path for path in paths if movie.pk in films_of(program, path)]


def test_a_film_that_a_viewer_rated_is_gone_from_every_page_and_list(house: House) -> None:
    browser, program = viewer_of(house)
    film = house.horror[0]
    assert shown_on(browser, film) == [path for path in LISTS if path != "/"]
    assert {"favorites", "watchlist", "ratings"} <= set(answers_with(program, film, house.horror[5]))
    hide(film)
    assert shown_on(browser, film) == []
    assert answers_with(program, film, house.horror[5]) == []
    hide(film, "show")
    assert shown_on(browser, film) == [path for path in LISTS if path != "/"]


def test_a_film_that_would_be_recommended_is_gone_from_home_lists_and_similar(house: House) -> None:
    browser, program = viewer_of(house)
    shown = program.send("GET", "/api/v1/movies/recommendations?n=1").json()["recommendations"]
    film = Movie.objects.get(pk=shown[0]["movie_id"])
    assert "/" in shown_on(browser, film)
    similar = "movies/recommendations?n=40"
    assert similar in answers_with(program, film, house.horror[0])
    hide(film)
    assert shown_on(browser, film) == []
    assert answers_with(program, film, house.horror[0]) == []


@pytest.mark.parametrize(
    "arm",
    [
        *("popular", "genre", "content", "svd", "als", "item_cf", "embeddings", "graph"),
        *("long_tail", "serendipity", "hybrid"),
    ],
)
def test_no_arm_shows_a_hidden_film(house: House, arm: str) -> None:
    _, program = viewer_of(house)
    strategy = {"policy": "fixed", "arms": {arm: 1.0}}
    change_policy(strategy=strategy, recipe="standard", reason="a test", by=make_staff())
    before = films_of(program, "movies/recommendations?n=40")
    film = Movie.objects.get(pk=min(before))
    hide(film)
    after = films_of(program, "movies/recommendations?n=40")
    assert film.pk not in after
    assert len(after) == len(before) - 1


def test_the_page_of_a_hidden_film_is_gone_and_nothing_can_be_said_of_it(house: House) -> None:
    browser, program = viewer_of(house)
    film = house.horror[4]
    hide(film)
    assert browser.get(f"/film/{film.pk}").status_code == 404
    assert program.send("GET", f"/api/v1/movies/{film.pk}").status_code == 404
    assert program.send("GET", f"/api/v1/movies/{film.pk}/similar").status_code == 404
    said = program.send("POST", "/api/v1/events", {"item_id": film.pk, "event_type": "click"})
    assert (said.status_code, said.json()["detail"]) == (404, f"There is no film {film.pk}")
    assert program.send("PUT", f"/api/v1/ratings/{film.pk}", {"rating": 4}).status_code == 404


def test_no_reason_names_a_hidden_film(house: House) -> None:
    _, program = viewer_of(house)

    def named() -> set[int]:
        slate = program.send("GET", "/api/v1/movies/recommendations?n=20").json()["recommendations"]
        return {movie_id for slot in slate for movie_id in slot["reason"]["movie_ids"]}

    film = Movie.objects.get(pk=min(named()))
    hide(film)
    assert film.pk not in named()
