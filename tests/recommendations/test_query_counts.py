"""How many queries an answer takes: the same for a long list as for a short one.

``BEGIN``, ``COMMIT`` and savepoints are left out; caches are warm. Figures are on the credential of a
bearer, whose user is one query.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from zeal import NPlusOneError

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.experiments.policy import forget_policy
from apps.experiments.services import change_policy
from apps.ratings.models import Rating
from apps.ratings.services import record_preference
from tests.callers import Caller, bearer, signed_in
from tests.factories import make_movie, make_rating, make_staff, make_user
from tests.house import House
from tests.rows import make_row

pytestmark = pytest.mark.django_db

UNCOUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
SHORT, LONG = 3, 30
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def warm_caches(settings: Any) -> None:
    """As in production, where a process looks for a new policy or version every two seconds."""
    settings.VERSION_TTL_SECONDS = 600.0


def queries(caller: Caller, path: str) -> list[str]:
    """What the second of two requests asks the database."""
    caller.send("GET", path)
    with CaptureQueriesContext(connection) as captured:
        response = caller.send("GET", path)
    assert response.status_code == 200, response.content[:300]
    asked = [query["sql"] for query in captured]
    return [sql for sql in asked if not sql.startswith(UNCOUNTED)]


def assert_queries(caller: Caller, path: str, number: int) -> None:
    asked = queries(caller, path)
    assert len(asked) == number, "\n".join(asked)


def rate(viewer: User, films: list[Movie]) -> None:
    for number, film in enumerate(films):
        make_rating(viewer, film, 4.0, at=NOON + timedelta(minutes=number))


def make_films(number: int) -> list[Movie]:
    return [make_movie(f"Film {n}", year=1990, genres=["Drama", "Horror"]) for n in range(number)]


def row_by_row(request: HttpRequest) -> HttpResponse:
    return HttpResponse(", ".join(str(rating.movie) for rating in Rating.objects.all()))


urlpatterns = [path("row-by-row", row_by_row)]


@pytest.mark.urls("tests.recommendations.test_query_counts")
def test_a_request_that_asks_row_by_row_is_an_error_in_every_test(client: Client) -> None:
    make_rating()
    assert client.get("/row-by-row").status_code == 200
    make_rating()
    with pytest.raises(NPlusOneError, match=r"ratings\.Rating\.movie"):
        client.get("/row-by-row")


# --- The API -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_size", [5, 50])
@pytest.mark.parametrize(
    ("query", "number"), [("", 4), ("&search=film", 4), ("&genre=drama", 5), ("&ordering=-vote_average", 4)]
)
def test_a_page_of_films_takes_four(page_size: int, query: str, number: int) -> None:
    """The user, the count, the films and their genres; whether there is a genre that is named."""
    make_films(50)
    assert_queries(bearer(make_user()), f"/api/v1/movies?page_size={page_size}{query}", number)


@pytest.mark.parametrize("n", [5, 20])
@pytest.mark.parametrize("n_rated", [3, 24])
def test_a_slate_takes_five_at_most(n: int, n_rated: int, house: House) -> None:
    viewer = make_user()
    rate(viewer, (house.horror + house.comedy)[:n_rated])
    asked = queries(bearer(viewer), f"/api/v1/movies/recommendations?n={n}")
    assert len(asked) <= 5, "\n".join(asked)


@pytest.mark.parametrize("n", [5, 20])
@pytest.mark.parametrize("n_rated", [3, 24])
def test_a_slate_by_a_bandit_takes_six_at_most(n: int, n_rated: int, house: House) -> None:
    """One more than a fixed strategy's: what is counted."""
    strategy = {"policy": "bandit", "arms": ["svd", "als", "item_cf"]}
    change_policy(strategy=strategy, recipe="standard", reason="a test", by=make_staff())
    forget_policy()
    viewer = make_user()
    rate(viewer, (house.horror + house.comedy)[:n_rated])
    asked = queries(bearer(viewer), f"/api/v1/movies/recommendations?n={n}")
    assert len(asked) <= 6, "\n".join(asked)
    assert sum("INSERT INTO bandit_states" in sql for sql in asked) == 1


@pytest.mark.parametrize("n", [5, 20])
def test_films_like_one_take_six_at_most(n: int, house: House) -> None:
    """One more than a slate: whether the film is there."""
    asked = queries(bearer(make_user()), f"/api/v1/movies/{house.horror[0].pk}/similar?n={n}")
    assert len(asked) <= 6, "\n".join(asked)


@pytest.mark.parametrize("number", [SHORT, LONG])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("ratings", "rate"), ("favorites", "favorite"), ("watchlist", "watchlist"), ("dismissals", "dismiss")],
)
def test_a_list_of_ones_own_takes_three(name: str, kind: str, number: int) -> None:
    """The user, the count, the rows with their films."""
    viewer = make_user()
    value = 4.0 if kind == "rate" else None
    for film in make_films(number):
        record_preference(user_id=viewer.pk, movie_id=film.pk, kind=kind, value=value, at=NOON)
    assert_queries(bearer(viewer), f"/api/v1/{name}?page_size=50", 3)


@pytest.mark.parametrize("n_genres", [1, 6])
@pytest.mark.parametrize("n_rated", [1, 20])
def test_a_film_takes_six(n_genres: int, n_rated: int, house: House) -> None:
    """The user; film, genres, people, keywords; what it is to the viewer."""
    viewer = make_user()
    rate(viewer, house.comedy[:n_rated])
    film = make_movie("Alien", genres=[f"Genre {number}" for number in range(n_genres)])
    assert_queries(bearer(viewer), f"/api/v1/movies/{film.pk}", 6)


# --- Pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rated", [0, 3, 24])
def test_the_home_page_takes_twelve_at_most(n_rated: int, house: House) -> None:
    viewer = make_user()
    rate(viewer, (house.horror + house.comedy)[:n_rated])
    asked = queries(signed_in(viewer), "/")
    assert len(asked) <= 12, "\n".join(asked)


@pytest.mark.parametrize("n_rated", [3, 12])
@pytest.mark.parametrize(("path", "number"), [("/gems", 8), ("/surprise", 7)])
def test_a_page_of_one_list_takes_the_same_whatever_is_rated(
    path: str, number: int, n_rated: int, house: House
) -> None:
    """Session and user; the viewer, the gems; films, slate, impressions (one on PostgreSQL); the cards."""
    Movie.objects.update(is_long_tail=True)
    viewer = make_user()
    rate(viewer, (house.horror + house.comedy)[:n_rated])
    is_one_statement = connection.vendor == "postgresql"
    assert_queries(signed_in(viewer), path, number - is_one_statement)


@pytest.mark.parametrize("number", [SHORT, 24])
@pytest.mark.parametrize("path", ["/search?q=film", "/search"])
def test_a_page_of_films_takes_the_same_whatever_its_length(number: int, path: str) -> None:
    """Session and user; the count, the ids, the films with their genres, the viewer's stars."""
    viewer = make_user()
    rate(viewer, make_films(number))
    asked = queries(signed_in(viewer), path)
    assert len(asked) == 6, "\n".join(asked)


@pytest.mark.parametrize("n_rated", [3, 24])
def test_a_films_page_takes_twelve_at_most(n_rated: int, house: House) -> None:
    viewer = make_user()
    rate(viewer, (house.horror + house.comedy)[:n_rated])
    asked = queries(signed_in(viewer), f"/film/{house.comedy[-1].pk}")
    assert len(asked) <= 12, "\n".join(asked)


# --- The admin -----------------------------------------------------------------------------------

TABLES = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label)
def test_a_table_of_the_admin_asks_nothing_for_a_row(model: type[Model]) -> None:
    root = signed_in(make_user(is_staff=True, is_superuser=True))
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    make_row(model)
    make_row(model)
    few = queries(root, path)
    for _ in range(8):
        make_row(model)
    many = queries(root, path)
    assert len(many) == len(few), "\n".join(sorted(set(many) - set(few)))
