"""Too many requests: refused until it is time to come back."""

import json
from typing import Any

import pytest

from apps.catalog.models import Movie
from tests.callers import bearer
from tests.factories import make_user
from tests.hostile.sending import assert_problem, send

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
