import re

import pytest
from django.test import Client, RequestFactory

from apps.core.api import problems

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.urls")]


@pytest.mark.parametrize(
    ("name", "status", "code", "title", "sentence"),
    [
        ("invalid", 400, "invalid-input", "The input is not valid", "Too many stars"),
        ("credentials", 401, "credentials-refused", "The credentials were refused", "Who are you?"),
        ("forbidden", 403, "forbidden", "This is not allowed", "Not you"),
        ("missing", 404, "not-found", "There is no such thing", "There is no film 5"),
        ("conflict", 409, "conflict", "The state does not allow this", "It runs already"),
        ("often", 429, "too-many-requests", "Too many requests", "Slower"),
        ("unavailable", 503, "unavailable", "This cannot be done right now", "The model is loading"),
        ("http404", 404, "not-found", "Not Found", "There is nothing at this address"),
        ("denied", 403, "forbidden", "Forbidden", "This needs a permission that you do not hold"),
        ("method", 405, "method-not-allowed", "Method Not Allowed", 'Method "PATCH" not allowed.'),
    ],
)
def test_every_failure_is_a_problem(
    client: Client, name: str, status: int, code: str, title: str, sentence: str
) -> None:
    response = client.get(f"/api/v1/fail/{name}")
    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body.pop("request_id") == response.headers["X-Request-ID"]
    body.pop("errors", None)
    assert (response.status_code, body) == (
        status,
        {
            "type": f"urn:marquee:problem:{code}",
            "title": title,
            "status": status,
            "detail": sentence,
            "instance": f"/api/v1/fail/{name}",
        },
    )


def test_a_401_says_which_credential_is_wanted(client: Client) -> None:
    response = client.get("/api/v1/fail/credentials")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_points_at_every_wrong_field(client: Client) -> None:
    body = client.get("/api/v1/fail/nested").json()
    assert body["detail"] == "2 things are wrong with the input"
    assert body["errors"] == [
        {"pointer": "/films/0/stars", "detail": "Too many"},
        {"pointer": "", "detail": "No"},
    ]


@pytest.mark.parametrize(("name", "seconds"), [("often", "7"), ("throttled", "3")])
def test_says_when_to_try_again(client: Client, name: str, seconds: str) -> None:
    response = client.get(f"/api/v1/fail/{name}")
    assert (response.status_code, response.headers["Retry-After"]) == (429, seconds)


def test_leaves_a_bug_to_the_server(client: Client) -> None:
    client.raise_request_exception = False
    assert client.get("/api/v1/fail/bug").status_code == 500


@pytest.mark.parametrize(
    ("answer", "status", "code", "sentence"),
    [
        (problems.page_not_found, 404, "not-found", "There is nothing at this address"),
        (
            problems.server_error,
            500,
            "server-error",
            "Something broke on our side; quote the request_id to its staff",
        ),
        (problems.bad_request, 400, "bad-request", "The request could not be understood"),
        (lambda request: problems.csrf_refused(request, "No token"), 403, "csrf-refused", "No token"),
    ],
)
def test_answers_outside_of_views_are_problems_too(answer, status: int, code: str, sentence: str) -> None:
    response = answer(RequestFactory().get("/api/v1/x"))
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert f'"type":"urn:marquee:problem:{code}"'.encode() in response.content
    assert f'"detail":"{sentence}"'.encode() in response.content


@pytest.mark.parametrize(
    ("given", "is_kept"), [("abc-DEF_1", True), ("short", False), ("a" * 65, False), ("a b c d e", False)]
)
def test_keeps_a_wellformed_request_id(client: Client, given: str, is_kept: bool) -> None:
    answered = client.get("/api/v1/search", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (answered == given) is is_kept
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", answered)
