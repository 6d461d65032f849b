"""Paths, methods and headers that nobody means well by."""

import pytest

from tests.callers import Caller
from tests.factories import make_user
from tests.hostile.sending import assert_problem, send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "movies/0",
        "movies/-1",
        "movies/1.5",
        "movies/999999999999999999",
        "movies/" + "9" * 19,
        "movies/" + "9" * 5_000,
        "movies/%EF%BC%91",
        "movies/%00",
        "movies/1%00",
        "movies/%31%32%33x",
        "movies/%2531",
        "movies/" + "%25" * 500 + "31",
        "movies/..%2f..%2fetc%2fpasswd",
        "movies/%ff%fe",
        "movies/%ED%A0%80",
        "movies//",
        "movies/1//similar",
        "ratings/0",
        "ratings/" + "9" * 30,
        "analytics/track/favorite/1/x",
        "%00",
        "",
        "a" * 5_000,
        "/" * 5_000,
    ],
)
def test_finds_nothing_at_an_address_that_is_none(path: str, keeper: Caller) -> None:
    assert_problem(send(keeper, "GET", f"/api/v1/{path}"), 404, "not-found")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW", "X" * 5_000, "PATCH"])
def test_refuses_methods_that_are_none(method: str, keeper: Caller) -> None:
    assert_problem(send(keeper, method, "/api/v1/movies"), 405, "method-not-allowed")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer x",
        "Bearer x.y.z",
        "Bearer eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ.",
        "Bearer " + "a" * 50_000,
        "Bearer \x00",
        "Bearer \xff\xfe",
        "Bearer é",
        "Api-Key",
        "Api-Key a b",
        "Api-Key x",
        "Api-Key " + "a" * 50_000,
        "Api-Key \x00",
        "Api-Key \xff",
        "api-key \u00e9",
    ],
)
def test_a_credential_that_is_none_is_refused_and_never_passed_over(authorization: str) -> None:
    caller = Caller({"Authorization": authorization}, user=make_user())
    for path in ("movies", "me", "ratings"):
        response = send(caller, "GET", f"/api/v1/{path}")
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Digest x", "x", "\x00", "Bearerx y", ", ,"])
def test_a_credential_of_another_kind_is_nobodys(authorization: str) -> None:
    caller = Caller({"Authorization": authorization}, user=make_user())
    assert send(caller, "GET", "/api/v1/movies").status_code == 200
    assert_problem(send(caller, "POST", "/api/v1/recommend", b"{}"), 401)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/zip", "a/b;q=2"])
def test_who_wants_something_else_than_json_is_told_in_json(accept: str, keeper: Caller) -> None:
    response = send(keeper, "GET", "/api/v1/movies", Accept=accept)
    assert_problem(response, 406, "not-acceptable")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json; version=9",
        "*",
        "\x00",
        ";;;,,,",
        "a" * 50_000,
        "*/*;" * 2_000,
    ],
)
def test_an_absurd_accept_header_breaks_nothing(accept: str, keeper: Caller) -> None:
    response = send(keeper, "GET", "/api/v1/movies", Accept=accept)
    if response.status_code != 200:
        assert_problem(response, 406, "not-acceptable")


@pytest.mark.parametrize("cookie", ["x", "\x00", "é", "a:b:c", "a" * 10_000, "::", "e" * 32 + ":x:y"])
def test_a_cookie_that_we_did_not_sign_is_no_cookie(cookie: str) -> None:
    caller = Caller(
        {"Cookie": f"unit={cookie}; sessionid={cookie}; tz={cookie}; csrftoken={cookie}"}, user=make_user()
    )
    for path in ("/api/v1/me", "/api/v1/movies", "/", "/my-films"):
        assert send(caller, "GET", path).status_code == 200
    assert_problem(send(caller, "POST", "/api/v1/events", b'{"item_id": 1, "event_type": "click"}'), 401)
