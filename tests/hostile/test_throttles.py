"""Too many requests: refused until it is time to come back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from apps.catalog.models import Movie
from tests.callers import Caller, bearer, guest
from tests.factories import PASSWORD, make_movie, make_user
from tests.hostile.sending import assert_problem, send
from tests.permissions.cast import RATINGS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("method", "scope"), [("GET", "read"), ("POST", "write")])
def test_who_asks_too_often_is_told_when_to_come_back(
    method: str, scope: str, movie: Movie, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {scope: "2/m"}
    caller = bearer(make_user())
    path = "/api/v1/movies" if method == "GET" else "/api/v1/events"
    body = json.dumps({"item_id": movie.pk, "event_type": "click"}).encode() if method == "POST" else b""
    assert [send(caller, method, path, body).status_code for _ in range(2)] == [200 if not body else 201] * 2
    response = send(caller, method, path, body)
    assert_problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 120
    assert send(bearer(make_user()), method, path, body).status_code in {200, 201}


def test_addresses_are_throttled_whoever_asks(movie: Movie, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"read_address": "2/m"}
    answers = [send(bearer(make_user()), "GET", "/api/v1/movies") for _ in range(3)]
    assert [response.status_code for response in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"]


# --- Addresses that the client writes itself -----------------------------------------------------

# Where proxies of all kinds put the client's address.
FORGED = (
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "Client-IP",
    "Remote-Addr",
)
Act = Callable[[Caller, int], HttpResponse]


def api(method: str, path: str, **body: str) -> Act:
    """``?`` in a value is another word each time."""
    return lambda caller, number: caller.send(
        method,
        f"/api/v1/{path}",
        {name: value.replace("?", str(number)) for name, value in body.items()} or None,
    )


def page(path: str, **body: str) -> Act:
    return lambda caller, number: caller.browser.post(
        path, {name: value.replace("?", str(number)) for name, value in body.items()}, headers=caller.headers
    )


def say(caller: Caller, number: int) -> HttpResponse:
    film = Movie.objects.get()
    said = {"kind": "watchlist", "client_id": f"{number:032x}"}
    return caller.browser.post(f"/film/{film.pk}/feedback", said, headers=caller.headers)


def send_file(caller: Caller, number: int) -> HttpResponse:
    return caller.send_file("/api/v1/me/import", "ratings.csv", RATINGS)


ACTS: dict[str, tuple[str, Act]] = {
    "log-in by page": ("login_address", page("/log-in", username="name-?", password="x")),
    "log-in of the admin": ("login_address", page("/admin/login/", username="name-?", password="x")),
    "log-in by API": ("login_address", api("POST", "auth/token", username="name-?", password="x")),
    "refresh": ("login_address", api("POST", "auth/token/refresh", refresh="x")),
    "blacklist": ("login_address", api("POST", "auth/token/blacklist", refresh="x")),
    "sign-up by page": ("login_address", page("/sign-up", username="name-?", password=PASSWORD)),
    "sign-up by API": ("login_address", api("POST", "auth/register", username="name-?", password=PASSWORD)),
    "reset by page": ("login_address", page("/password/reset/", email="a?@example.org")),
    "reset by API": ("login_address", api("POST", "auth/password/reset", email="a?@example.org")),
    "link by page": ("login_address", page("/password/reset/MQ/a-b/", password=PASSWORD)),
    "link by API": (
        "login_address",
        api("POST", "auth/password/reset/confirm", uid="MQ", token="a-?", password=PASSWORD),
    ),
    "new guests": ("new_guest", api("PATCH", "me", timezone="Europe/Lisbon")),
    "reads": ("read_address", api("GET", "movies")),
    "writes by API": ("write_address", api("PATCH", "me", timezone="Europe/Lisbon")),
    "writes by page": ("write_address", say),
    "files": ("import_address", send_file),
}


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize("name", ACTS)
def test_a_forged_address_passes_no_throttle(name: str, proxies: int, settings: Any) -> None:
    """Another visitor with another forged address each time; behind a proxy it adds the true one."""
    scope, act = ACTS[name]
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {scope: "3/h"}
    settings.TRUSTED_PROXIES = proxies
    make_movie("Alien", year=1979)
    answers = [act(posing(number, proxies), number) for number in range(4)]
    assert [is_slowed(answer) for answer in answers] == [False] * 3 + [True]


def posing(number: int, proxies: int) -> Caller:
    visitor = guest()
    forged = dict.fromkeys(FORGED, f"203.0.113.{number}")
    if proxies:
        forged["X-Forwarded-For"] += ", 198.51.100.7"
    return Caller(visitor.headers | forged, user=visitor.user, browser=visitor.browser)


def is_slowed(answer: HttpResponse) -> bool:
    """A program by the status, people by a sentence on the page or the one that it leads to."""
    if answer.headers.get("Content-Type") == "application/problem+json":
        return answer.status_code == 429
    if answer.status_code == 302:
        answer = answer.client.get(answer.headers["Location"])
    return "Too many" in answer.content.decode()


@pytest.mark.parametrize("name", ["log-in by page", "log-in by API", "log-in of the admin"])
def test_a_name_is_guessed_no_faster_from_many_addresses(name: str, settings: Any) -> None:
    """The true addresses differ here: a name has a throttle of its own."""
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"login_name": "3/h"}
    settings.TRUSTED_PROXIES = 1
    make_user("name-7", is_staff=True)
    answers = []
    for number in range(4):
        visitor = guest()
        there = {"X-Forwarded-For": f"203.0.113.{number}"}
        caller = Caller(visitor.headers | there, user=visitor.user, browser=visitor.browser)
        answers.append(ACTS[name][1](caller, 7))
    assert [is_slowed(answer) for answer in answers] == [False] * 3 + [True]
