"""What production's log lines hold, and what they never hold."""

import io
import json
import logging
from collections.abc import Iterator
from logging.config import dictConfig
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, OperationalError
from django.test import Client

from apps.core.logs import log_fields, under_request_id
from recommender_site.logs import logging_settings
from tests.callers import METHODS, api_routes, signed_in, undone
from tests.factories import PASSWORD, make_movie, make_user
from tests.permissions.tables import PAGES

# One for each way in, so that a leak tells where it came in.
PERSONAL = {
    "name": "Ursulaq",
    "email": "ursulaq@anarres.example",
    "password": "Qx-secret-41-Qx",
    "token": "Qtoken-5d1f-Q",
    "query": "Qsearch-for-Q",
    "header": "Qheader-Q",
    "agent": "Qagent-Q",
    "referer": "Qreferer-Q",
    "cookie": "Qcookie-Q",
    "forwarded": "203.0.113.77",
    "peer": "198.51.100.23",
    "host": "qhost.anarres.example",
    "path": "Qpath-Q",
    "method": "QMETHOD",
    "body": "Qbody-Q",
}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a production process writes meanwhile."""
    stream = io.StringIO()
    configuration = logging_settings("DEBUG", "JSON")
    configuration["handlers"]["stderr"]["stream"] = stream
    kept = {name: logging.getLogger(name).level for name in configuration["loggers"]}
    handlers, level = logging.root.handlers[:], logging.root.level
    dictConfig(configuration)
    yield stream
    dictConfig(django_settings.LOGGING)
    logging.root.handlers, logging.root.level = handlers, level
    for name, before in kept.items():
        logging.getLogger(name).setLevel(before)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_object_with_its_own_fields(written: io.StringIO) -> None:
    with under_request_id("abcdefgh"):
        logging.getLogger("apps.any").info("job_done n=%d", 3, extra=log_fields(ms=1.5, none=None))
    (line,) = lines_of(written)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "apps.any",
        "message": "job_done n=3",
        "ms": 1.5,
        "request_id": "abcdefgh",
    }


def log_error(error: Exception) -> None:
    try:
        raise error
    except Exception:
        logging.getLogger("apps.any").exception("broke")


def test_an_error_is_its_class_and_place_without_what_it_quotes(written: io.StringIO) -> None:
    log_error(IntegrityError("Key (email)=(ursulaq@anarres.example) already exists"))
    (error,) = lines_of(written)[0]["error"]
    assert (error["type"], error["text"]) == ("django.db.utils.IntegrityError", None)
    assert error["frames"][-1].startswith("tests/core/test_logs.py:")
    assert error["frames"][-1].endswith(" log_error")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OperationalError("server closed the connection\nDETAIL: row"), "server closed the connection"),
        (PermissionError(13, "Permission denied", "/home/ursulaq"), "Permission denied"),
        (ValueError("invalid literal: ursulaq"), None),
    ],
)
def test_the_text_of_an_error_stays_where_it_is_about_machines(
    written: io.StringIO, error: Exception, text: str | None
) -> None:
    log_error(error)
    assert lines_of(written)[0]["error"][0]["text"] == text
    assert "ursulaq" not in written.getvalue()


def test_an_error_names_what_led_to_it(written: io.StringIO) -> None:
    try:
        try:
            raise KeyError("ursulaq")
        except KeyError as cause:
            raise RuntimeError("ursulaq") from cause
    except RuntimeError as error:
        log_error(error)
    types = [link["type"] for link in lines_of(written)[0]["error"]]
    assert types == ["builtins.RuntimeError", "builtins.KeyError"]
    assert "ursulaq" not in written.getvalue()


def test_lines_of_the_web_server_end_before_what_a_client_sent(written: io.StringIO) -> None:
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.warning("Invalid request from ip=203.0.113.77: Invalid HTTP method: 'Qmethod'")
    gunicorn.error("Error handling request %s", "/password/reset/MQ/Qtoken/?q=ursulaq")
    gunicorn.info("Booting worker with pid: %s", 7)
    assert [line["message"] for line in lines_of(written)] == [
        "Invalid request",
        "Error handling request",
        "Booting worker with pid: 7",
    ]


def ask_with_personal_data(browser: Client, method: str, path: str) -> None:
    """The same person in path, query, headers, cookies, body and address."""
    body = {field: PERSONAL.get(field, PERSONAL["body"]) for field in FIELDS}
    browser.generic(
        method,
        f"{path}?q={PERSONAL['query']}&user_id={PERSONAL['query']}",
        json.dumps(body),
        "application/json",
        headers={
            "Authorization": f"Bearer {PERSONAL['token']}",
            "User-Agent": PERSONAL["agent"],
            "Referer": f"https://elsewhere.example/{PERSONAL['referer']}",
            "X-Request-ID": PERSONAL["email"],
            "X-Forwarded-For": PERSONAL["forwarded"],
            "X-Anything": PERSONAL["header"],
            "Cookie": f"sessionid={PERSONAL['cookie']}; unit={PERSONAL['cookie']}",
        },
        REMOTE_ADDR=PERSONAL["peer"],
    )
    form = {field: PERSONAL.get(field, PERSONAL["body"]) for field in FIELDS}
    if method == "POST":
        browser.post(path, form, REMOTE_ADDR=PERSONAL["peer"])


FIELDS = (
    "username name email password password1 password2 new_password1 new_password2 current_password token "
    "refresh uid title overview value kind client_id item_id event_type rating timezone q search body next"
).split()


def assert_nothing_personal(stream: io.StringIO) -> None:
    text = stream.getvalue()
    leaks = {kind: value for kind, value in PERSONAL.items() if value.lower() in text.lower()}
    assert leaks == {}, [line for line in text.splitlines() if any(v in line for v in leaks.values())][:3]
    assert PASSWORD not in text


@pytest.mark.django_db
def test_nothing_personal_of_any_request_reaches_the_log(written: io.StringIO, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    film, browser = make_movie("Alien"), Client(raise_request_exception=False)
    routes = [(method, f"api/v1/{route}") for method, route in api_routes()]
    routes += [(method, route) for route, methods in PAGES.items() for method in methods]
    routes += [
        ("GET", "metrics"),
        ("GET", PERSONAL["path"]),
        (PERSONAL["method"], ""),
        *((method, "") for method in METHODS),
    ]
    for method, route in routes:
        path = route.replace("<id:movie_id>", str(film.pk)).replace("<id:user_id>", "1")
        path = path.replace("<uid>", PERSONAL["token"]).replace("<token>", PERSONAL["token"])
        with undone():
            ask_with_personal_data(browser, method, f"/{path}")
    assert len(lines_of(written)) >= len(routes)
    assert_nothing_personal(written)


@pytest.mark.django_db
def test_nothing_personal_of_a_person_at_work_reaches_the_log(written: io.StringIO) -> None:
    browser, (name, email, password) = Client(), (PERSONAL[kind] for kind in ("name", "email", "password"))
    browser.post("/sign-up", {"username": name, "email": email, "password": password})
    browser.post("/log-in", {"username": name, "password": password})
    browser.post("/log-in", {"username": name, "password": "Qwrong-Q"})
    browser.post("/password/reset/", {"email": email})
    person = make_user(PERSONAL["name"] + "-2", email="2" + email, first_name=PERSONAL["query"])
    signed_in(person).send("GET", "/")
    signed_in(person).send("GET", "/api/v1/me")
    assert_nothing_personal(written)
    assert "Qwrong-Q" not in written.getvalue()


@pytest.mark.django_db
def test_nothing_personal_of_a_request_that_breaks_reaches_the_log(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.monitoring import views

    def fail() -> None:
        raise ValueError(" ".join(PERSONAL.values()))

    monkeypatch.setattr(views, "readiness", fail)
    ask_with_personal_data(Client(raise_request_exception=False), "GET", "/readyz")
    browser = Client(raise_request_exception=False)
    browser.get("/", headers={"Host": PERSONAL["host"]})
    assert_nothing_personal(written)
    (failed,) = [line for line in lines_of(written) if line["message"] == "request_failed"]
    assert (failed["status"], failed["error"][0]["type"]) == (500, "builtins.ValueError")
