"""The home page: who is shown what, and what it costs."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.catalog.services import update_movie
from apps.events.models import RecommendationEvent, Slate, Surface
from apps.recommendations.services import recommend
from apps.recommendations.slates import SlateRequest
from apps.training.services import train
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


def test_promises_reasons_of_lists_that_have_them_alone(visitor: Client, house: House) -> None:
    """New and popular rows say none."""
    page = visitor.get("/").content.decode()
    assert "Lists made for you come from what you and others rated, and say why." in page
    for promise in ("every list says", "every pick says", "Every film here"):
        assert promise not in page


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


def slugs(shown: Any) -> list[str]:
    return [row.slug for row in shown.rows]


def mark_long_tail(*films: Movie) -> None:
    Movie.objects.filter(pk__in=[film.pk for film in films]).update(is_long_tail=True)


def test_shows_no_film_twice(visitor: Client, house: House) -> None:
    mark_long_tail(*house.comedy[:5])
    for number in range(12):
        make_movie(f"Premiere {number}", year=2026)
    rate(visitor, house.horror[0], 5)
    shown = home(visitor)
    assert slugs(shown) == ["for-you", "because", "gems", "new", "popular"]
    ids = [card.movie_id for row in shown.rows for card in row.cards]
    assert len(ids) == len(set(ids)) == 31 + 12, "every film there is but the rated one"


def test_shows_popular_films_first_to_who_has_rated_none(visitor: Client, house: House) -> None:
    mark_long_tail(house.horror[9])
    assert slugs(home(visitor)) == ["popular", "gems", "new"]


def test_leaves_out_a_row_without_films(visitor: Client, db: None) -> None:
    make_movie("Undated")
    assert slugs(home(visitor)) == ["popular"]


def test_a_row_begins_from_a_film_that_the_viewer_liked(visitor: Client, house: House) -> None:
    rate(visitor, house.comedy[0], 5)
    rate(visitor, house.horror[0], 4)
    page = visitor.get("/")
    (row,) = [row for row in page.context["home"].rows if row.slug == "because"]
    assert row.title == "Because you liked Laugh 0", "the most liked of the latest likes"
    assert "Because you liked Laugh 0</h2>" in page.content.decode()
    logged = RecommendationEvent.objects.filter(slate__surface=Surface.BECAUSE)
    assert [card.event_id for card in row.cards] == list(
        logged.order_by("position").values_list("pk", flat=True)
    )
    assert {card.reason for card in row.cards if card.title.startswith("Laugh")} == {""}
    assert {card.expected for card in row.cards} == {None}


def test_no_row_begins_from_a_film_that_was_not_liked(visitor: Client, house: House) -> None:
    rate(visitor, house.comedy[0], 3.5)
    assert "because" not in slugs(home(visitor))


def test_no_row_begins_from_a_film_that_is_not_for_the_viewer(visitor: Client, house: House) -> None:
    rate(visitor, house.comedy[0], 5)
    rate(visitor, house.horror[0], 4)
    say(visitor, house.comedy[0], kind="dismiss")
    (row,) = [row for row in home(visitor).rows if row.slug == "because"]
    assert row.title == "Because you liked Fright 0"


def test_no_row_names_a_film_that_is_hidden(visitor: Client, house: House) -> None:
    for film in (house.horror[0], house.comedy[0]):
        rate(visitor, film, 5)
    update_movie(movie=house.comedy[0], by=None, is_available=False)
    visitor.get("/")  # says what was rated
    page = visitor.get("/").content.decode()
    assert "Because you liked Fright 0</h2>" in page
    assert "Laugh 0" not in page


def test_no_row_begins_from_a_film_that_no_model_knows(visitor: Client, house: House) -> None:
    late = make_movie("Fright again", genres=["Horror"])
    rate(visitor, late, 5)
    assert "because" not in slugs(home(visitor))


def test_gems_are_of_the_long_tail_and_in_the_viewers_order(visitor: Client, house: House) -> None:
    gems = [*house.comedy[2:5], *house.horror[13:]]
    mark_long_tail(*gems)
    for film in house.comedy[:2]:
        rate(visitor, film, 5)
    # More lists of the same films would take them first.
    Movie.objects.exclude(pk__in=[film.pk for film in gems]).update(is_available=False)
    viewer = User.objects.get(is_guest=True)
    for film in (house.comedy[0], house.comedy[1]):
        Movie.objects.filter(pk=film.pk).update(is_available=True)
    slate = recommend(
        SlateRequest(
            viewer=viewer,
            unit_key=viewer.unit_key,
            surface=Surface.HOME_GEMS,
            only=frozenset(film.pk for film in gems),
        )
    )
    assert {slot.movie_id for slot in slate.slots[:3]} == {film.pk for film in house.comedy[2:5]}
    assert {slot.algorithm for slot in slate.slots} == {"long_tail"}


def test_logs_gems_and_does_not_call_them_popular(visitor: Client, house: House) -> None:
    mark_long_tail(*house.horror[:2])
    shown = home(visitor)
    logged = RecommendationEvent.objects.filter(slate__surface=Surface.HOME_GEMS)
    cards = shown.cards("gems")
    assert [card.event_id for card in cards] == list(logged.order_by("position").values_list("pk", flat=True))
    assert [card.reason for card in cards] == [""] * len(cards)


def test_new_films_are_the_latest_unseen_and_not_logged(visitor: Client, house: House) -> None:
    seen = make_movie("Seen", year=2026)
    latest = [make_movie(f"Premiere {number}", year=2025) for number in range(13)]
    make_movie("Undated")
    rate(visitor, seen, 4)
    cards = home(visitor).cards("new")
    assert [card.movie_id for card in cards] == [film.pk for film in reversed(latest[1:])]
    assert {card.event_id for card in cards} == {None}


def test_expects_stars_only_of_somebody_it_knows(visitor: Client, house: House) -> None:
    assert {card.expected for card in home(visitor).popular} == {None}
    rate(visitor, house.horror[0], 5)
    assert all(card.expected for card in home(visitor).for_you)


def test_a_card_says_in_sight_whose_stars_stand_on_the_poster(visitor: Client, house: House) -> None:
    rate(visitor, house.horror[0], 5)
    badge = re.search('<p class="card__expected">(.*?)</p>', visitor.get("/").content.decode())
    assert badge
    assert re.fullmatch(r'Expected <span class="visually-hidden">from you: </span>\d\.\d ★', badge[1]), badge[
        1
    ]


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
    mark_long_tail(*house.comedy[:5])
    make_movie("Premiere", year=2026)
    viewer = make_user()
    client.force_login(viewer)
    for movie in house.horror[:n_rated]:
        make_rating(viewer, movie, 4.5)
    client.get("/")
    with CaptureQueriesContext(connection) as captured:
        page = client.get("/")
    assert len(page.context["home"].rows) >= 3
    queries = [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION)]
    assert len(queries) <= 12, queries


KILOBYTE = 1000


@pytest.mark.parametrize("n_rated", [0, 8])
def test_is_light_however_long_the_titles_are(client: Client, db: None, n_rated: int) -> None:
    """Sixty cards, with what the longest line of each may hold in real data."""
    films = [
        make_movie(
            f"The Lord of the Rings: The Return of the King {number}",
            year=2003,
            genres=["Adventure", "Action"],
        )
        for number in range(160)
    ]
    mark_long_tail(*films[:60])
    for number in range(6):
        person = make_user(f"movielens-{number}", is_imported=True)
        for film in films[number % 3 :: 2]:
            make_rating(person, film, 5)
    train()
    viewer = make_user()
    client.force_login(viewer)
    for film in films[30 : 30 + n_rated]:
        make_rating(viewer, film, 5)
    page = client.get("/")
    assert sum(len(row.cards) for row in page.context["home"].rows) == (60 if n_rated else 36)
    assert len(page.content) < 120 * KILOBYTE


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
