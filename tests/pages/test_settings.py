"""Settings: profile, look, time zone and password, of accounts and of guests."""

import re

import pytest
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from apps.accounts.models import Session, User
from tests.factories import PASSWORD, make_movie, make_user
from tests.pages.conftest import rate

pytestmark = pytest.mark.django_db

NEW = "a-Different-one-77"


@pytest.fixture
def ada(client: Client) -> User:
    user = make_user("ada", email="ada@example.org")
    client.force_login(user)
    return user


def profile(client: Client, **change: str) -> str:
    data = {"username": "ada", "email": "ada@example.org", "password": PASSWORD} | change
    return client.post("/settings", data, follow=True).content.decode()


def error_of(page: str, field: str) -> str:
    found = re.search(f'class="field__error" id="id_{field}_error">\\s*(.*?)</p>', page)
    assert found
    return found[1]


# --- Profile -------------------------------------------------------------------------------------


def test_changes_name_and_address(client: Client, ada: User) -> None:
    page = profile(client, username="Ada-L", email="l@example.org")
    assert "Your profile is saved." in page
    assert '<span class="top__name">Ada-L</span>' in page
    ada.refresh_from_db()
    assert (ada.username, ada.email) == ("Ada-L", "l@example.org")


def test_may_write_the_name_in_another_case_and_leave_the_address_out(client: Client, ada: User) -> None:
    assert "Your profile is saved." in profile(client, username="ADA", email="")
    ada.refresh_from_db()
    assert (ada.username, ada.email) == ("ADA", "")


REFUSALS = [
    ("username", "Taken", "The username &#x27;Taken&#x27; is taken"),
    ("username", "guest-1", "A username cannot begin with guest-"),
    ("email", "nowhere", "Enter a valid email address."),
    ("password", "wrong", "This is not your password"),
    ("password", "", "This field is required."),
]


@pytest.mark.parametrize(("field", "value", "refusal"), REFUSALS)
def test_says_beside_the_field_what_is_wrong(
    client: Client, ada: User, field: str, value: str, refusal: str
) -> None:
    make_user("taken")
    changed = {"username": "lovelace"} if field == "password" else {}
    page = profile(client, **changed, **{field: value})
    assert error_of(page, field) == refusal
    assert PASSWORD not in page
    ada.refresh_from_db()
    assert (ada.username, ada.email) == ("ada", "ada@example.org")


def test_changes_nothing_that_the_form_does_not_show(client: Client, ada: User) -> None:
    other = make_user("other")
    profile(client, is_staff="1", is_superuser="1", id=str(other.pk), user_id=str(other.pk), unit_key="x")
    ada.refresh_from_db()
    assert (ada.is_staff, ada.is_superuser) == (False, False)
    assert User.objects.get(pk=other.pk).username == "other"


def test_leaves_an_old_value_alone_that_would_be_refused_today(client: Client, ada: User) -> None:
    User.objects.update(email="old style")
    assert "Your profile is saved." in profile(client, username="lovelace", email="old style")


def test_offers_a_guest_an_account_instead(visitor: Client) -> None:
    page = visitor.get("/settings").content.decode()
    assert "You have no account." in page
    assert 'name="username"' not in page
    assert visitor.post("/settings", {"username": "x"}).headers["Location"] == "/log-in"


# --- Look ----------------------------------------------------------------------------------------


def pressed(client: Client) -> list[str]:
    page = client.get("/settings").content.decode()
    return re.findall(r'name="theme"\s+value="(\w+)"\s+aria-pressed="true"', page)


def test_looks_as_one_wants_from_the_next_page_on(visitor: Client) -> None:
    assert pressed(visitor) == ["system"]
    for theme in ("dark", "light"):
        response = visitor.post("/settings/theme", {"theme": theme})
        assert response.headers["Location"] == "/settings"
        assert response.cookies["theme"]["httponly"]
        assert response.cookies["theme"]["samesite"] == "Lax"
        assert pressed(visitor) == [theme]
        assert f'data-theme="{theme}"' in visitor.get("/about").content.decode()
    visitor.post("/settings/theme", {"theme": "system"})
    assert pressed(visitor) == ["system"]
    assert "data-theme" not in visitor.get("/about").content.decode()


def test_keeps_the_look_where_one_is(visitor: Client) -> None:
    response = visitor.post("/settings/theme", {"theme": "dark", "next": "//evil.example"})
    assert response.headers["Location"] == "/settings"
    assert "theme" not in visitor.post("/settings/theme", {"theme": "neon"}).cookies


# --- Time zone -----------------------------------------------------------------------------------


def test_keeps_the_time_zone_of_an_account(client: Client, ada: User) -> None:
    page = client.post("/settings/time-zone", {"timezone": "Asia/Tokyo"}, follow=True).content.decode()
    assert "Your time zone is saved." in page
    assert '<option value="Asia/Tokyo" selected>Tokyo</option>' in page
    ada.refresh_from_db()
    assert ada.timezone == "Asia/Tokyo"


def test_keeps_the_time_zone_of_a_guest_who_said_nothing_yet(visitor: Client) -> None:
    visitor.post("/settings/time-zone", {"timezone": "Europe/Lisbon"})
    assert User.objects.get(is_guest=True).timezone == "Europe/Lisbon"


def test_goes_by_the_browser_again(client: Client, ada: User) -> None:
    User.objects.update(timezone="Asia/Tokyo")
    client.post("/settings/time-zone", {"timezone": ""})
    ada.refresh_from_db()
    assert ada.timezone == ""


def test_refuses_a_time_zone_that_is_none(client: Client, ada: User) -> None:
    page = client.post("/settings/time-zone", {"timezone": "../etc/passwd"}, follow=True).content.decode()
    assert "There is no time zone &#x27;../etc/passwd&#x27;; give one like Europe/Berlin" in page


# --- Password ------------------------------------------------------------------------------------


def test_changes_the_password_and_ends_what_was_open(client: Client, ada: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    data = {"current_password": PASSWORD, "new_password": NEW}
    page = client.post("/settings/password", data, follow=True).content.decode()
    assert "Your password is changed. Every other session has ended." in page
    assert client.get("/about").context["user"] == ada
    assert not elsewhere.get("/about").context["user"].is_authenticated
    assert Session.objects.of(ada).count() == 1
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_ends_tokens_with_the_password(client: Client, ada: User) -> None:
    credentials = {"username": "ada", "password": PASSWORD}
    tokens = Client().post("/api/v1/auth/token", credentials, content_type="application/json").json()
    client.post("/settings/password", {"current_password": PASSWORD, "new_password": NEW})
    refreshed = Client().post(
        "/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}, content_type="application/json"
    )
    assert refreshed.status_code == 401
    assert OutstandingToken.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "data", "refusal"),
    [
        ("current_password", {"current_password": "x", "new_password": NEW}, "This is not your password"),
        (
            "new_password",
            {"current_password": PASSWORD, "new_password": "password"},
            "This password is too common.",
        ),
    ],
)
def test_refuses_a_password(
    client: Client, ada: User, field: str, data: dict[str, str], refusal: str
) -> None:
    page = client.post("/settings/password", data).content.decode()
    assert error_of(page, field) == refusal
    assert NEW not in page
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_slows_down_who_guesses_the_password(client: Client, ada: User) -> None:
    for _ in range(6):
        page = client.post("/settings/password", {"current_password": "x", "new_password": NEW})
    assert "Too many attempts to log in with this name" in page.content.decode()


@pytest.mark.parametrize("path", ["/settings/password", "/settings/sessions"])
def test_asks_a_guest_to_log_in(visitor: Client, path: str) -> None:
    rate(visitor, make_movie(), 4)
    for response in (visitor.get(path), visitor.get(path, follow=True)):
        assert response.status_code in {200, 302}
    assert visitor.get(path).headers["Location"] == f"/log-in?next={path}"


def test_is_kept_by_no_cache(client: Client, ada: User) -> None:
    for path in (
        "/settings",
        "/settings/password",
        "/settings/sessions",
        "/settings/data",
        "/settings/erase",
    ):
        assert "no-store" in client.get(path).headers["Cache-Control"], path
