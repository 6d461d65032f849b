"""One's own films: every list, what stands on it, and what is taken off it and put back."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, WatchlistItem
from tests.factories import make_movie, make_rating, make_user
from tests.pages.conftest import rate, say

pytestmark = pytest.mark.django_db

ACTS = {
    "": ("rate", "unrate", Rating),
    "/favourites": ("favorite", "unfavorite", Favorite),
    "/watchlist": ("watchlist", "unwatchlist", WatchlistItem),
    "/thumbs": ("thumbs_down", "thumbs_clear", Thumb),
    "/not-for-me": ("dismiss", "undismiss", Dismissal),
}
EACH_LIST = pytest.mark.parametrize("path", ACTS)


def put(client: Client, path: str, movie: Movie) -> None:
    kind = ACTS[path][0]
    say(client, movie, kind=kind, value="4" if kind == "rate" else "")


def page(client: Client, path: str = "", query: str = "") -> str:
    return client.get(f"/my-films{path}{query}").content.decode()


def titles(client: Client, path: str = "", query: str = "") -> list[str]:
    return [entry.card.title for entry in client.get(f"/my-films{path}{query}").context["mine"].entries]


@EACH_LIST
def test_says_of_an_empty_list_what_fills_it(client: Client, path: str) -> None:
    text = page(client, path)
    assert "Nothing here yet" in text
    assert 'href="/">Find films</a>' in text
    assert client.get(f"/my-films{path}").context["mine"].own_list.empty in text


@EACH_LIST
def test_lists_ones_own_the_latest_first(visitor: Client, path: str) -> None:
    for title in ("Alien", "Brazil"):
        put(visitor, path, make_movie(title))
    other = Client()
    other.force_login(make_user())
    put(other, path, make_movie("Somebody else’s"))
    assert titles(visitor, path) == ["Brazil", "Alien"]


@EACH_LIST
def test_takes_a_film_off_and_comes_back_without_script(visitor: Client, path: str) -> None:
    film = make_movie("Alien")
    put(visitor, path, film)
    response = say(visitor, film, kind=ACTS[path][1], next=f"/my-films{path}")
    assert response.headers["Location"] == f"/my-films{path}"
    assert titles(visitor, path) == []
    assert ACTS[path][2]._default_manager.count() == 1  # its tombstone


@EACH_LIST
def test_leaves_the_line_with_a_way_back(visitor: Client, path: str) -> None:
    film = make_movie("Alien")
    put(visitor, path, film)
    line = re.search(r'<li class="mine__item" id="([\w-]+)"', page(visitor, path))
    assert line
    gone = say(visitor, film, htmx_target=line[1], kind=ACTS[path][1]).content.decode()
    assert "<html" not in gone
    assert "Off this list" in gone
    kind = re.search(r'name="kind" value="(\w+)">Undo<', gone)
    assert kind
    back = say(visitor, film, htmx_target=line[1], kind=kind[1], value="4").content.decode()
    assert "Off this list" not in back
    assert titles(visitor, path) == ["Alien"]


def test_changes_stars_on_the_line(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 2)
    visitor.get("/about")
    line = rate(visitor, film, 4.5, htmx_target=f"rated-{film.pk}").content.decode()
    assert 'value="4.5"' in line
    assert "You gave Alien 4.5 stars." in line
    assert Rating.objects.get().value == 4.5


def test_shows_the_stars_of_a_film_on_the_watchlist(visitor: Client) -> None:
    film = make_movie("Alien")
    put(visitor, "/watchlist", film)
    rate(visitor, film, 3.5)
    (entry,) = visitor.get("/my-films/watchlist").context["mine"].entries
    assert (entry.card.rating, entry.is_on) == (3.5, True)


def test_turns_a_thumb_the_other_way(visitor: Client) -> None:
    film = make_movie("Alien")
    put(visitor, "/thumbs", film)
    line = say(visitor, film, htmx_target=f"thumbs-{film.pk}", kind="thumbs_up").content.decode()
    assert re.findall(r'value="(\w+)"\s+aria-pressed="(\w+)"', line) == [
        ("thumbs_clear", "true"),
        ("thumbs_down", "false"),
    ]


def test_counts_every_list_on_its_tab(visitor: Client) -> None:
    for path, n_films in zip(ACTS, (3, 0, 1, 2, 1), strict=True):
        for _ in range(n_films):
            put(visitor, path, make_movie())
    tabs = visitor.get("/my-films/watchlist").context["mine"].tabs
    assert [tab.count for tab in tabs] == [3, 0, 1, 2, 1]
    assert [tab.name for tab in tabs if tab.is_here] == ["Watchlist"]


def test_counts_anew_what_an_act_changed(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 4)
    swapped = say(visitor, film, htmx_target=f"rated-{film.pk}", kind="unrate")
    assert swapped.context["line"].tabs[0].count == 0
    assert 'id="tabs"' in swapped.content.decode()


def test_leaves_out_what_is_hidden(visitor: Client) -> None:
    film = make_movie("Alien")
    rate(visitor, film, 4)
    Movie.objects.update(is_available=False)
    assert titles(visitor) == []
    assert visitor.get("/my-films").context["mine"].tabs[0].count == 0


def test_finds_within_the_list(visitor: Client) -> None:
    for title in ("Alien", "Aliens", "Brazil"):
        rate(visitor, make_movie(title), 4)
    make_movie("Alien Nation")
    assert titles(visitor, query="?q=alien") == ["Aliens", "Alien"]
    assert "No film of this list is found for “casablanca”." in page(visitor, query="?q=casablanca")
    assert "<script>x" not in page(visitor, query="?q=<script>x")


def test_parts_a_long_list_into_pages(client: Client) -> None:
    viewer = make_user()
    client.force_login(viewer)
    for number in range(25):
        make_rating(viewer, make_movie(f"Part {number}"))
    assert len(titles(client)) == 24
    assert titles(client, query="?page=2&q=part") == ["Part 0"]
    assert 'href="?q=part&amp;page=1"' in page(client, query="?page=2&q=part")


def test_shows_dates_of_the_viewers_zone(client: Client) -> None:
    viewer = make_user(timezone="Pacific/Auckland")
    client.force_login(viewer)
    make_rating(viewer, at=datetime(2026, 3, 4, 18, tzinfo=UTC))
    (entry,) = client.get("/my-films").context["mine"].entries
    assert entry.on == date(2026, 3, 5)


def test_leads_on_from_the_old_address(client: Client) -> None:
    response = client.get("/ratings?page=2")
    assert (response.status_code, response.headers["Location"]) == (301, "/my-films?page=2")


def test_knows_no_other_list(client: Client) -> None:
    assert client.get("/my-films/secrets").status_code == 404


def test_changes_nothing_of_another_viewers(visitor: Client) -> None:
    film, other = make_movie("Alien"), make_user()
    make_rating(other, film, 5)
    say(visitor, film, htmx_target=f"rated-{film.pk}", kind="unrate", user_id=other.pk, user=other.pk)
    assert Rating.objects.get(user=other).value == 5


def test_makes_no_row_for_a_guest_who_only_looks(visitor: Client) -> None:
    for path in ACTS:
        visitor.get(f"/my-films{path}")
    assert not User.objects.exists()


def fill(viewer: User, n_films: int) -> None:
    now: Any = {"user": viewer, "changed_at": "2026-03-04T18:00:00Z"}
    for _ in range(n_films):
        film = make_movie(genres=["Horror", "Comedy"])
        make_rating(viewer, film)
        Thumb.objects.create(movie=film, direction=1, **now)
        for model in (Favorite, WatchlistItem, Dismissal):
            model.objects.create(movie=film, **now)


@EACH_LIST
@pytest.mark.parametrize("n_films", [2, 20])
def test_takes_as_many_queries_for_many_as_for_few(client: Client, path: str, n_films: int) -> None:
    viewer = make_user()
    client.force_login(viewer)
    fill(viewer, n_films)
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/my-films{path}")
    # Who it is, how many films, the page's rows, its cards, the tabs; and the stars of other lists.
    assert len(captured) == (7 if path else 6), [query["sql"] for query in captured]
