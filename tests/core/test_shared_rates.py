"""Two web servers with one Redis: a rate is a rate of the site, not of each process."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import cycle, islice

import pytest

from tests.processes import Program, running, wait_until

pytestmark = pytest.mark.redis

GUNICORN = ("gunicorn", "recommender_site.wsgi", "-k", "gthread", "--threads", "4", "--bind", "127.0.0.1:0")
WRITES_A_MINUTE = 300


def port_of(server: Program) -> int:
    listening = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+) ")
    wait_until(lambda: listening.search(server.said()), "a server that listens")
    found = listening.search(server.said())
    assert found is not None
    return int(found[1])


@pytest.fixture
def ports(environment: dict[str, str]) -> Iterator[list[int]]:
    """Of two servers, each one process."""
    with running(environment, *GUNICORN) as first, running(environment, *GUNICORN) as second:
        yield [port_of(first), port_of(second)]


def post(port: int, path: str, body: dict[str, str]) -> tuple[int, str]:
    """The status, and the type of the problem."""
    link = HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("POST", f"/api/v1/{path}", json.dumps(body), {"Content-Type": "application/json"})
    response = link.getresponse()
    problem = json.load(response)
    link.close()
    return response.status, problem["type"].removeprefix("urn:marquee:problem:")


def test_guesses_at_a_password_are_counted_by_all_servers_together(ports: list[int]) -> None:
    guess = {"username": "ada", "password": "a-guess"}
    answers = [post(port, "auth/token", guess) for port in islice(cycle(ports), 7)]
    assert answers == [(401, "credentials-refused")] * 5 + [(429, "too-many-requests")] * 2


def test_requests_are_counted_by_all_servers_together(ports: list[int]) -> None:
    post(ports[0], "auth/token/blacklist", {})
    began = time.monotonic()
    order = islice(cycle(ports), WRITES_A_MINUTE + 60)
    answers = Counter(post(port, "auth/token/blacklist", {}) for port in order)
    # The window slides meanwhile, and frees that part of the rate.
    freed = WRITES_A_MINUTE * (time.monotonic() - began) / 60
    assert set(answers) == {(400, "invalid-input"), (429, "throttled")}
    assert WRITES_A_MINUTE - 1 <= answers[400, "invalid-input"] <= WRITES_A_MINUTE - 1 + freed
