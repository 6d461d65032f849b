"""Who has an account here: log-in and reset tell it neither by their answer nor by the work they do.

At sign-up a name that is taken has to be refused; an address of mail is no name, and tells nothing.
"""

import re
from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from tests.callers import guest
from tests.factories import PASSWORD, make_guest, make_staff, make_user

pytestmark = pytest.mark.django_db

NAMES = ("ada", "nobody", "gone", "guest-of-old", "somebody-of-a-data-set", "the-staff")
ADDRESSES = ("ada@example.org", "bob@example.org", "gone@example.org", "data@example.org")
# What is new with each page.
_FRESH = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|[0-9a-f]{32}')
Post = Callable[[str, dict[str, str]], HttpResponse]


@pytest.fixture(autouse=True)
def people() -> None:
    """One of each kind; nobody has ``nobody`` and ``bob@example.org``."""
    make_user("ada", email="ada@example.org")
    make_user("gone", email="gone@example.org", is_active=False)
    make_user("somebody-of-a-data-set", email="data@example.org", is_imported=True)
    make_guest(username="guest-of-old")
    make_staff(username="the-staff")


def by_page(path: str, body: dict[str, str]) -> HttpResponse:
    browser = guest()
    return browser.browser.post(path, body, headers=browser.headers)


def by_api(path: str, body: dict[str, str]) -> HttpResponse:
    return guest().send("POST", path, body)


def answer_and_work(post: Post, path: str, body: dict[str, str]) -> tuple[object, ...]:
    """What comes back, but for what was sent and what is always new; queries, hashes, calls for mail."""
    cache.clear()
    hashed, opened = MD5PasswordHasher.encode, EmailBackend.send_messages
    with (
        patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=hashed) as hashes,
        patch.object(EmailBackend, "send_messages", autospec=True, side_effect=opened) as mails,
        CaptureQueriesContext(connection) as queries,
    ):
        answer = post(path, body)
    text = _FRESH.sub("", answer.content.decode())
    for value in body.values():
        text = text.replace(value, "")
    shapes = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]
    always_new = {"X-Request-ID", "Expires"}
    headers = {name: value for name, value in answer.headers.items() if name not in always_new}
    headers["Content-Length"] = headers.get("Content-Length", "") and "set"
    return answer.status_code, text, headers, hashes.call_count, mails.call_count, shapes


@pytest.mark.parametrize(
    ("post", "path"), [(by_page, "/log-in"), (by_api, "/api/v1/auth/token"), (by_page, "/admin/login/")]
)
def test_a_wrong_password_is_answered_alike_whoever_has_the_name(post: Post, path: str) -> None:
    """The admin's form too, which lets nobody in who is no staff."""
    seen = {
        name: answer_and_work(post, path, {"username": name, "password": "a-Wrong-passphrase-9"})
        for name in NAMES
    }
    for name in NAMES:
        assert seen[name] == seen["nobody"], name
    assert seen["nobody"][3] == 1


@pytest.mark.parametrize(("post", "path"), [(by_page, "/log-in"), (by_api, "/api/v1/auth/token")])
def test_who_may_not_log_in_is_refused_alike_with_the_right_password(post: Post, path: str) -> None:
    nobody = answer_and_work(post, path, {"username": "nobody", "password": PASSWORD})
    for name in ("gone", "guest-of-old", "somebody-of-a-data-set"):
        assert answer_and_work(post, path, {"username": name, "password": PASSWORD}) == nobody, name


@pytest.mark.parametrize(
    ("post", "path"), [(by_page, "/password/reset/"), (by_api, "/api/v1/auth/password/reset")]
)
def test_a_reset_is_answered_alike_whoever_has_the_address(post: Post, path: str) -> None:
    seen = {address: answer_and_work(post, path, {"email": address}) for address in ADDRESSES}
    for address in ADDRESSES:
        assert seen[address] == seen["bob@example.org"], address
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]


@pytest.mark.parametrize(("post", "path"), [(by_page, "/sign-up"), (by_api, "/api/v1/auth/register")])
def test_signing_up_tells_nothing_of_an_address(post: Post, path: str) -> None:
    seen = []
    for number, address in enumerate(ADDRESSES):
        body = {"username": f"newcomer-{number}", "password": PASSWORD, "email": address}
        status, *_, hashes, mails, shapes = answer_and_work(post, path, body)
        seen.append((status, hashes, mails, shapes))
    assert seen[0][0] in {201, 302}
    assert all(one == seen[0] for one in seen)


def test_names_can_be_tried_only_as_fast_as_log_ins() -> None:
    """By one address thirty a minute, whether a name is taken or free, by page and API together."""
    statuses = []
    for number in range(31):
        body = {"username": "ada" if number % 2 else f"free-{number}", "password": "short"}
        statuses.append(guest().send("POST", "/api/v1/auth/register", body).status_code)
    assert statuses == [400] * 30 + [429]
    page = by_page("/sign-up", {"username": "ada", "password": PASSWORD})
    assert "Too many sign-ups from this address: try again in" in page.content.decode()
