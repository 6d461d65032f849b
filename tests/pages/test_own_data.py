"""What somebody's settings hold of them: sessions, the export, and the way out."""

import io
import json
import re
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Session, User
from apps.accounts.tokens import issue_tokens
from apps.ratings.models import Rating
from tests.factories import PASSWORD, make_movie, make_user
from tests.pages.conftest import rate

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"


@pytest.fixture
def ada(client: Client) -> User:
    user = make_user("ada")
    client.force_login(user)
    return user


def log_in(user: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.force_login(user)
    client.get("/about")
    return client


def handle_of(client: Client) -> str:
    return str(Session.objects.get(pk=client.session.session_key).handle)


# --- Sessions ------------------------------------------------------------------------------------


def test_lists_ones_own_sessions_and_says_which_is_this_one(client: Client, ada: User) -> None:
    log_in(ada)
    log_in(make_user())
    page = client.get("/settings/sessions").content.decode()
    assert page.count('class="session"') == 2
    assert "Firefox on Linux" in page
    assert re.search(r'A device that does not say what it is\s*<span class="tag">This one</span>', page)
    assert page.count("/settings/sessions/end&quot;") == 0
    assert page.count('action="/settings/sessions/end"') == 1


def test_never_shows_what_opens_a_session(client: Client, ada: User) -> None:
    log_in(ada)
    page = client.get("/settings/sessions").content.decode()
    assert not [key for key in Session.objects.values_list("pk", flat=True) if key in page]


def test_ends_one(client: Client, ada: User) -> None:
    there = log_in(ada)
    page = client.post("/settings/sessions/end", {"session": handle_of(there)}, follow=True)
    assert "That session has ended." in page.content.decode()
    assert not there.get("/about").context["user"].is_authenticated
    assert client.get("/about").context["user"] == ada


def test_ends_nobody_elses(client: Client, ada: User) -> None:
    theirs = log_in(make_user())
    page = client.post("/settings/sessions/end", {"session": handle_of(theirs)}, follow=True)
    assert "There is no such session of yours: it may have ended already" in page.content.decode()
    assert theirs.get("/about").context["user"].is_authenticated


@pytest.mark.parametrize("session", ["", "x", "\x00", "01a1fda1-34f9-7f10-a0fb-0bbbe39db220"])
def test_ends_nothing_that_is_no_session(client: Client, ada: User, session: str) -> None:
    assert client.post("/settings/sessions/end", {"session": session}).status_code == 302
    assert Session.objects.of(ada).count() == 1


def test_ends_all_others(client: Client, ada: User) -> None:
    there, theirs = log_in(ada), log_in(make_user())
    issue_tokens(ada)
    assert "Programs hold 1 token of yours." in client.get("/settings/sessions").content.decode()
    page = client.post("/settings/sessions/end-others", follow=True).content.decode()
    assert "Every other session and token has ended." in page
    assert "Programs hold" not in page
    assert "End all others" not in page
    assert not there.get("/about").context["user"].is_authenticated
    assert theirs.get("/about").context["user"].is_authenticated


@pytest.mark.parametrize("n_sessions", [2, 20])
def test_takes_as_many_queries_for_many_as_for_few(client: Client, ada: User, n_sessions: int) -> None:
    for number in range(n_sessions):
        Session.objects.create(
            session_key=f"key-{number}", expire_date=timezone.now() + timezone.timedelta(days=1), user=ada
        )
    with CaptureQueriesContext(connection) as captured:
        client.get("/settings/sessions")
    assert len(captured) == 6, captured.captured_queries


# --- Export --------------------------------------------------------------------------------------


def exported(client: Client) -> list[str]:
    page = client.get("/settings/data").content.decode()
    link = re.search(r'href="([^"]+)"\s+download>', page)
    assert link
    answer = client.get(link[1])
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        return [row["title"] for row in json.loads(files.read("ratings.json"))]


def test_hands_an_account_all_that_is_held(client: Client, ada: User) -> None:
    rate(client, make_movie("Alien"), 4)
    assert exported(client) == ["Alien"]


def test_hands_a_guest_all_that_is_held(visitor: Client) -> None:
    rate(visitor, make_movie("Alien"), 4)
    assert exported(visitor) == ["Alien"]


def test_says_that_nothing_is_held_of_somebody_new(visitor: Client) -> None:
    page = visitor.get("/settings/data").content.decode()
    assert "Nothing is held about you yet" in page
    assert "/api/v1/me/export" not in page
    assert "Nothing is held about you." in visitor.get("/settings/erase").content.decode()


# --- Erasure -------------------------------------------------------------------------------------


def test_erases_an_account_and_says_what_was_done(client: Client, ada: User) -> None:
    rate(client, make_movie("Alien"), 4)
    response = client.post("/settings/erase", {"confirmation": "Erase ", "password": PASSWORD})
    page = response.content.decode()
    assert response.status_code == 200
    assert "Everything is erased" in page
    assert "Log in" in page
    assert "ada" not in re.findall(r"\w+", page)
    assert not User.objects.exists()
    assert not Rating.objects.exists()
    assert not Session.objects.exists()
    assert not client.get("/about").context["user"].is_authenticated


def test_erases_a_guest_who_is_a_stranger_from_then_on(visitor: Client) -> None:
    rate(visitor, make_movie("Alien"), 4)
    before = visitor.cookies["unit"].value
    assert (
        "Everything is erased" in visitor.post("/settings/erase", {"confirmation": "erase"}).content.decode()
    )
    assert not User.objects.exists()
    assert visitor.cookies["unit"].value != before
    assert "Nothing is held about you yet" in visitor.get("/settings/data").content.decode()


REFUSALS = [
    ({"confirmation": "", "password": PASSWORD}, "This field is required."),
    (
        {"confirmation": "yes", "password": PASSWORD},
        "Type the word erase, so that this does not happen by mistake.",
    ),
    ({"confirmation": "erase", "password": "wrong"}, "This is not your password"),
    ({"confirmation": "erase"}, "This field is required."),
]


@pytest.mark.parametrize(("data", "refusal"), REFUSALS)
def test_erases_nothing_by_mistake(client: Client, ada: User, data: dict[str, str], refusal: str) -> None:
    page = client.post("/settings/erase", data).content.decode()
    assert refusal in page
    assert User.objects.filter(pk=ada.pk).exists()
    assert client.get("/about").context["user"] == ada


def test_erases_nobody_else(client: Client, ada: User) -> None:
    other = make_user("other")
    data = {"confirmation": "erase", "password": PASSWORD, "user_id": other.pk, "username": "other"}
    client.post(f"/settings/erase?user_id={other.pk}", data)
    assert list(User.objects.all()) == [other]


def test_has_nothing_to_erase_of_somebody_new(visitor: Client) -> None:
    response = visitor.post("/settings/erase", {"confirmation": "erase"})
    assert response.headers["Location"] == "/settings/data"
