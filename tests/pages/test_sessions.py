"""Sessions: whose each is, from what and since when, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from apps.accounts.devices import device_of
from apps.accounts.models import Session, User
from apps.accounts.services import change_password, end_other_sessions, end_session
from apps.accounts.tasks import clear_expired_sessions
from apps.accounts.tokens import issue_tokens, refresh_tokens
from apps.core.errors import CredentialsRefused, NotFound
from tests.factories import PASSWORD, make_staff, make_user

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"


def browser(user: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.force_login(user)
    return client


def session_of(client: Client) -> Session:
    return Session.objects.get(pk=client.session.session_key)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Android"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)", "macOS"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<script>" * 2_000, ""),
    ],
)
def test_tells_browser_and_system_from_what_a_browser_says(agent: str, device: str) -> None:
    assert device_of(agent) == device


def test_a_visitors_session_is_nobodys_and_an_accounts_is_theirs(client: Client) -> None:
    client.session.save()
    client.get("/about")
    session = client.session
    session["a"] = 1
    session.save()
    assert Session.objects.get().user is None
    user = make_user()
    client.force_login(user)
    assert session_of(client).user == user


@pytest.mark.parametrize("path", ["/log-in", "/admin/login/"])
def test_every_way_to_log_in_opens_a_session_of_that_user(client: Client, path: str) -> None:
    user = make_staff(username="ada")
    client.post(path, {"username": "ada", "password": PASSWORD})
    client.get("/about", headers={"User-Agent": SAFARI})
    assert Session.objects.values_list("user", "device").get() == (user.pk, "Safari on iPhone")


def test_is_nobodys_any_more_after_a_logout(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    client.post("/log-out")
    assert not Session.objects.of(user).exists()


def test_says_when_it_was_last_used_within_ten_minutes(time_machine: Any) -> None:
    time_machine.move_to("2026-03-14T20:00:00Z", tick=False)
    client = browser(make_user())
    client.get("/about")
    began = session_of(client)
    time_machine.shift(timedelta(minutes=9))
    client.get("/about")
    assert session_of(client).seen_at == began.seen_at
    time_machine.shift(timedelta(minutes=1))
    client.get("/about")
    later = session_of(client)
    assert later.seen_at - began.seen_at == timedelta(minutes=10)
    assert (later.began_at, later.handle, later.device) == (began.began_at, began.handle, "Firefox on Linux")


def test_keeps_since_when_and_from_what_when_its_data_is_written() -> None:
    client = browser(make_user())
    client.get("/about")
    before = session_of(client)
    session = client.session
    session["a"] = 1
    session.save()
    after = session_of(client)
    assert (after.handle, after.began_at, after.device) == (before.handle, before.began_at, before.device)
    assert client.session["a"] == 1


def test_costs_no_query_while_nothing_is_new() -> None:
    client = browser(make_user())
    client.get("/about")
    with CaptureQueriesContext(connection) as captured:
        client.get("/about")
    assert len(captured) == 2, captured.captured_queries  # the session, the user


def test_ends_one_of_ones_own() -> None:
    user = make_user()
    here, there = browser(user), browser(user)
    end_session(user=user, handle=session_of(there).handle)
    assert here.get("/about").context["user"] == user
    assert not there.get("/about").context["user"].is_authenticated


def test_ends_nobody_elses() -> None:
    theirs = browser(make_user())
    with pytest.raises(NotFound) as refused:
        end_session(user=make_user(), handle=session_of(theirs).handle)
    assert refused.value.detail == "There is no such session of yours: it may have ended already"
    assert theirs.get("/about").context["user"].is_authenticated


def test_ends_all_others_and_every_token() -> None:
    user = make_user()
    here, there, other = browser(user), browser(user), browser(make_user())
    token, spent = issue_tokens(user), issue_tokens(user)
    refresh_tokens(spent.refresh)
    assert end_other_sessions(user=user, kept=str(here.session.session_key)) == (1, 2)
    assert here.get("/about").context["user"].is_authenticated
    assert other.get("/about").context["user"].is_authenticated
    assert not there.get("/about").context["user"].is_authenticated
    with pytest.raises(CredentialsRefused):
        refresh_tokens(token.refresh)
    assert BlacklistedToken.objects.count() == 3


def test_a_new_password_leaves_no_session_in_the_list() -> None:
    user = make_user()
    browser(user), browser(user)
    change_password(user=user, current=PASSWORD, new="a-Different-one-77")
    assert not Session.objects.of(user).exists()


def test_deletes_what_has_run_out() -> None:
    user = make_user()
    old, new = browser(user), browser(user)
    Session.objects.filter(pk=old.session.session_key).update(expire_date=timezone.now())
    assert clear_expired_sessions() == 1
    assert Session.objects.get().pk == new.session.session_key
