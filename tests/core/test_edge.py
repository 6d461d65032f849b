"""A request's id, its one line in the log, and its place in the counters."""

import logging
import re
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from tests.callers import Caller, bearer, signed_in
from tests.factories import make_api_key, make_movie, make_user

pytestmark = pytest.mark.django_db

EDGE = "apps.core.edge"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=EDGE)
    return caplog


def only_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if record.name == EDGE]
    assert record.getMessage() == "request"
    fields = dict(record.fields)  # type: ignore[attr-defined] # log_fields put it there
    assert 0 < fields.pop("ms") < 60_000
    return fields


def counted(**labels: str) -> float:
    return REGISTRY.get_sample_value("marquee_requests_total", labels) or 0.0


@pytest.mark.parametrize("given", ["abcdefgh", "0a1b2c3d-4e5f-6789-abcd-ef0123456789", "A_b-" * 16])
def test_takes_a_well_formed_id(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "ada@example.org", "with space", "line\nbreak", "é" * 9]
)
def test_makes_an_id_instead_of_an_ill_formed_one(client: Client, given: str) -> None:
    made = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_a_problem_names_the_id_of_its_request(client: Client) -> None:
    response = client.get("/api/v1/movies?colour=red", headers={"X-Request-ID": "given-by-a-proxy"})
    assert response.json()["request_id"] == response.headers["X-Request-ID"] == "given-by-a-proxy"


def test_a_request_is_one_line_with_its_route(client: Client, lines: pytest.LogCaptureFixture) -> None:
    film = make_movie("Alien", year=1979)
    client.get(f"/film/{film.pk}?from=ada@example.org")
    assert only_line(lines) == {"method": "GET", "route": "/film/<id:movie_id>", "status": 200}


@pytest.mark.parametrize(
    ("method", "path", "route", "status", "shown_method"),
    [
        ("GET", "/api/v1/movies/7/", "/api/v1/movies/<id:movie_id>", 404, "GET"),
        ("GET", "/ada-lovelace", "unmatched", 404, "GET"),
        ("GET", "/password/reset/MQ/abc-def/", "/password/reset/<uid>/<token>/", 302, "GET"),
        ("BREW", "/healthz", "/healthz", 405, "other"),
        ("GET", "/static/css/marquee.css", "static", 200, "GET"),
        (
            "GET",
            "/admin/accounts/user/5/change/",
            "/admin/accounts/user/<path:object_id>/change/",
            302,
            "GET",
        ),
    ],
)
def test_lines_and_counters_name_routes_and_never_paths(
    lines: pytest.LogCaptureFixture, method: str, path: str, route: str, status: int, shown_method: str
) -> None:
    labels = {"route": route, "method": shown_method, "status": str(status)}
    before = counted(**labels)
    assert Client().generic(method, path).status_code == status
    assert only_line(lines) == {"method": shown_method, "route": route, "status": status}
    assert counted(**labels) == before + 1


def test_a_line_names_the_account_or_the_key_by_number(lines: pytest.LogCaptureFixture) -> None:
    viewer = make_user()
    key, text = make_api_key("metrics.read")
    browser = signed_in(viewer)
    for caller, path, named in (
        (bearer(viewer), "/api/v1/me", {"user": viewer.pk}),
        (browser, "/", {"user": viewer.pk}),
        (Caller({"Authorization": f"Api-Key {text}"}, user=viewer), "/metrics", {"key": key.pk}),
        (Caller({}, user=viewer), "/healthz", {}),
    ):
        lines.clear()
        caller.send("GET", path)
        line = only_line(lines)
        assert {name: line[name] for name in ("user", "key") if name in line} == named, path


def test_an_error_that_nobody_foresaw_is_counted_and_is_one_line(
    client: Client, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import DataError

    from apps.monitoring import views

    def fail() -> None:
        raise DataError("value ada@example.org is too long")

    monkeypatch.setattr(views, "readiness", fail)
    client.raise_request_exception = False
    before = REGISTRY.get_sample_value("marquee_unhandled_errors_total", {"kind": "database"}) or 0
    assert client.get("/readyz").status_code == 500
    assert only_line(lines)["status"] == 500
    assert REGISTRY.get_sample_value("marquee_unhandled_errors_total", {"kind": "database"}) == before + 1
