"""Bodies that nobody means well by: each is refused with its exact status, at every address."""

import json
from typing import Any

import pytest

from apps.catalog.models import Movie
from apps.events.models import Feedback
from tests.callers import Caller, api_routes, guest
from tests.hostile.sending import FULL_WIDTH, assert_problem, send

pytestmark = pytest.mark.django_db

DEEP = 100_000
# What takes a form with a file takes no JSON.
TAKE_FILES = {("POST", "me/import")}
BODIES = {
    "deep list": b"[" * DEEP,
    "deep list, closed": b"[" * DEEP + b"]" * DEEP,
    "number of 5,000 digits": b'{"item_id": 1' + b"0" * 5_000 + b"}",
    "number beyond all floats": b'{"rating": 1e999}',
    "deep object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "no JSON": b"{'a': 1}",
    "cut off": b'{"item_id": 1, "event_type": "cl',
    "two values": b"{} {}",
    "NaN": b'{"rating": NaN}',
    "Infinity": b'{"rating": Infinity}',
    "minus Infinity": b'{"rating": -Infinity}',
    "full-width digits": f'{{"rating": {FULL_WIDTH}}}'.encode(),
    "lone surrogate": b'{"title": "\\ud800"}',
    "encoded surrogate": b'{"title": "\xed\xa0\x80"}',
    "NUL in a text": b'{"title": "a\\u0000b"}',
    "NUL in a name": b'{"a\\u0000b": 1}',
    "NUL far down": b'{"events": [{"a": ["\\u0000"]}]}',
    "bare NUL": b'{"title": "a\x00b"}',
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "list": b"[]",
    "text": b'"title"',
    "number": b"5",
    "null": b"null",
    "true": b"true",
    "unknown field": b'{"is_staff": true}',
    "a thousand unknown fields": json.dumps({f"field{n}": n for n in range(1_000)}).encode(),
    "field with a long name": json.dumps({"a" * 100_000: 1}).encode(),
    "prototype": b'{"__proto__": {"is_staff": true}}',
}


@pytest.mark.parametrize("name", BODIES)
def test_refuses_a_body_at_every_address(name: str, movie: Movie, keeper: Caller) -> None:
    for method, route in sorted(api_routes()):
        if method == "GET" or (method == "DELETE" and route != "me"):
            continue
        if (method, route) in TAKE_FILES:
            assert_problem(send(keeper, method, f"/api/v1/{route}", BODIES[name]), 415)
            continue
        path = route.replace("<id:movie_id>", str(movie.pk)).replace("<id:user_id>", str(keeper.user.pk))
        path = path.replace("<id:import_id>", "1")
        assert_problem(send(keeper, method, f"/api/v1/{path}", BODIES[name]), 400, "invalid-input")
    assert not Feedback.objects.exists()


# Over 64 bits, the parser reads a float.
BIG = 10**30
EVENT_VALUES: list[tuple[str, Any]] = [
    *(("item_id", value) for value in (0, -1, 2**63, BIG, 1.0, 1e300, FULL_WIDTH, " 1", True, None)),
    *(("item_id", value) for value in ([], {}, [1], "1; DROP TABLE movies", "")),
    *(("event_id", value) for value in (0, -5, 2**63, BIG, "x", False)),
    *(("user_id", value) for value in (0, -5, 2**64, BIG, "x", [1])),
    *(("recommendation_id", value) for value in ("x", "", 5, [], "0" * 33, FULL_WIDTH * 16, None)),
    *(("event_type", value) for value in ("like", "CLICK", "", 1, [], None, {"a": 1}, True)),
    *(("client_id", value) for value in ("", "a b", "a\nb", "é", "a" * 65, [], {}, None, "a/b")),
    *(("occurred_at", value) for value in ("now", "", "2026-13-01T00:00:00Z", 5, [], BIG, "9" * 400)),
    *(("occurred_at", value) for value in ("0000-01-01T00:00:00Z", "+12026-01-01T00:00:00Z", None)),
    *(("occurred_at", value) for value in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")),
    *(("occurred_at", value) for value in ("0001-01-01T00:00:00Z", f"20{FULL_WIDTH}-01-01T00:00:00Z")),
    *(("rating", value) for value in (0, -1, 5.5, 4.2, 1e308, BIG, "nan", "inf", True, [], None)),
]


@pytest.mark.parametrize(("field", "value"), EVENT_VALUES, ids=lambda value: f"{str(value)[:12]!r}")
def test_points_at_a_value_that_no_field_takes(field: str, value: Any, movie: Movie, keeper: Caller) -> None:
    kind = "rate" if field == "rating" else "click"
    body = json.dumps({"item_id": movie.pk, "event_type": kind, field: value}).encode()
    problem = assert_problem(send(keeper, "POST", "/api/v1/events", body), 400, "invalid-input")
    assert [error["pointer"].split("/")[1] for error in problem["errors"]] == [field]
    batch = json.dumps({"events": [json.loads(body)]}).encode()
    answered = send(keeper, "POST", "/api/v1/events", batch)
    assert (answered.status_code, answered.json()["results"][0]["problem"]["status"]) == (200, 400)


@pytest.mark.parametrize("body", [{"events": []}, {"events": [{}] * 501}, {"events": {}}])
def test_refuses_a_batch_that_is_none(body: dict[str, Any], keeper: Caller) -> None:
    assert_problem(send(keeper, "POST", "/api/v1/events", json.dumps(body).encode()), 400, "invalid-input")


@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_reads_no_body_over_a_mebibyte(size: int, movie: Movie, keeper: Caller) -> None:
    body = json.dumps({"item_id": movie.pk, "event_type": "click", "client_id": "a" * size}).encode()
    for caller in (keeper, guest(), Caller({}, user=keeper.user)):
        assert_problem(send(caller, "POST", "/api/v1/events", body), 413, "too-large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "application/jsonp",
        "application/",
        "/",
        ";;;",
        "a" * 10_000,
        "application/json/x",
    ],
)
def test_takes_json_alone(content_type: str, movie: Movie, keeper: Caller) -> None:
    body = json.dumps({"item_id": movie.pk, "event_type": "click"}).encode()
    for caller in (keeper, guest()):
        response = send(caller, "POST", "/api/v1/events", body, content_type=content_type)
        assert_problem(response, 415, "unsupported-media-type")
