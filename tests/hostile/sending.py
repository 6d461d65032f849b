"""What nobody means well by, sent; and what must come back: a problem, never an error of the server."""

from typing import Any

from django.http import HttpResponse

from tests.callers import Caller

FIELDS = {"type", "title", "status", "detail", "instance", "request_id"}
FULL_WIDTH = "\uff11\uff12"


def send(caller: Caller, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
    content_type = headers.pop("content_type", "application/json")
    caller.browser.raise_request_exception = False
    return caller.browser.generic(method, path, body, content_type, headers=caller.headers | headers)


def assert_problem(response: HttpResponse, status: int, code: str = "") -> dict[str, Any]:
    assert response.status_code == status, response.content[:300]
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) >= FIELDS
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert len(body["detail"]) < 2_000
    if code:
        assert body["type"] == f"urn:marquee:problem:{code}"
    return body
