import uuid

import pytest
import time_machine
from django.core import signing
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.accounts.units import Visit, guest_of, is_bot, unit_of, viewer_language, viewer_timezone
from tests.accounts.conftest import csrf
from tests.factories import make_guest, make_user

pytestmark = pytest.mark.django_db


def shown(client: Client, **headers: str) -> tuple[str, str]:
    """Key and whether it counts, as the page saw them."""
    key, counted, _ = client.get("/page/", headers=headers).content.decode().split()
    return key, counted


def test_sets_a_signed_cookie_with_the_first_page(browser: Client) -> None:
    response = browser.get("/page/", secure=True)
    cookie = response.cookies["unit"]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
    assert cookie["max-age"] == 365 * 24 * 3600
    assert cookie.value.count(":") == 2
    assert "Cookie" in response.headers["Vary"]


def test_leaves_the_cookie_insecure_on_plain_http(browser: Client) -> None:
    assert browser.get("/page/").cookies["unit"]["secure"] == ""


def test_does_not_count_the_first_page_but_the_second(browser: Client) -> None:
    assert shown(browser) == ("None", "False")
    key, counted = shown(browser)
    assert (uuid.UUID(key).version, counted) == (4, "True")
    assert shown(browser) == (key, "True")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
    ],
)
def test_gives_no_unit_to_prefetch_and_bots(browser: Client, headers: dict[str, str]) -> None:
    assert "unit" not in browser.get("/page/", headers=headers).cookies
    browser.get("/page/")
    assert shown(browser, **headers) == ("None", "False")


def test_gives_no_unit_to_head(browser: Client) -> None:
    assert "unit" not in browser.head("/page/").cookies
    request = RequestFactory().head("/page/")
    request.user = make_user()
    assert unit_of(request).key is None


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0 (Linux; CUBOT X18) Chrome/120", "curl/8.5", "Mozilla/5.0 HeadlessChrome/120", ""]
)
def test_takes_people_for_people(agent: str) -> None:
    assert not is_bot(RequestFactory().get("/", headers={"User-Agent": agent}))


def test_replaces_a_tampered_cookie(visitor: Client) -> None:
    real = visitor.cookies["unit"].value
    visitor.cookies["unit"] = uuid.uuid4().hex + real[32:]
    assert shown(visitor) == ("None", "False")
    assert visitor.cookies["unit"].value != real
    assert shown(visitor)[1] == "True"


def test_ignores_a_cookie_signed_for_something_else(browser: Client) -> None:
    browser.cookies["unit"] = signing.get_cookie_signer(salt="other").sign(uuid.uuid4().hex)
    assert shown(browser) == ("None", "False")


def test_ignores_a_signed_cookie_that_holds_no_key() -> None:
    request = RequestFactory().get("/")
    request.COOKIES["unit"] = signing.get_cookie_signer(salt="unitmarquee.unit").sign("no key")
    assert Visit(request).cookie_key is None


def test_ignores_a_cookie_of_more_than_a_year_ago(browser: Client) -> None:
    with time_machine.travel("2026-01-01"):
        browser.get("/page/")
    with time_machine.travel("2027-01-02"):
        assert shown(browser) == ("None", "False")


def test_sets_unit_and_csrf_cookies_with_an_api_get_too(browser: Client) -> None:
    response = browser.get("/api/v1/me")
    assert {"unit", "csrftoken"} <= set(response.cookies)


def test_sets_no_cookie_for_programs_the_admin_and_failures(browser: Client) -> None:
    assert "unit" not in browser.get("/api/v1/me", headers={"Authorization": "Basic x"}).cookies
    assert "unit" not in browser.get("/admin/login/").cookies
    assert "unit" not in browser.get("/api/v1/unstated").cookies


def test_uses_the_users_own_key_when_signed_in(visitor: Client) -> None:
    user = make_user()
    visitor.force_login(user)
    assert shown(visitor) == (str(user.unit_key), "True")


def test_never_counts_imported_people() -> None:
    request = RequestFactory().get("/")
    request.user = make_user(is_imported=True)
    assert unit_of(request).counted is False


def test_a_page_without_cookie_has_no_guest() -> None:
    assert guest_of(RequestFactory().get("/")) is None


def test_looks_the_guest_up_once(visitor: Client, django_assert_num_queries) -> None:
    visitor.post("/api/v1/who", headers=csrf(visitor), content_type="application/json")
    with django_assert_num_queries(1):
        assert visitor.get("/api/v1/who").json()["counted"] is True


def test_renews_a_key_that_an_account_has_claimed(visitor: Client) -> None:
    user_id = visitor.post("/feedback/", headers=csrf(visitor)).json()["user_id"]
    User.objects.filter(pk=user_id).update(is_guest=False)
    spent = visitor.cookies["unit"].value
    answer = visitor.get("/api/v1/who").json()
    assert (answer["user_id"], answer["counted"]) == (None, False)
    assert visitor.cookies["unit"].value != spent
    assert visitor.get("/api/v1/who").json() == {"user_id": None, "unit": answer["unit"], "counted": True}


@pytest.mark.parametrize(
    ("profile", "cookie", "expected"),
    [
        ("Asia/Tokyo", "Europe%2FBerlin", "Asia/Tokyo"),
        ("", "Europe%2FBerlin", "Europe/Berlin"),
        ("", "Europe/Berlin", "Europe/Berlin"),
        ("", "../../etc/passwd", None),
        ("Nowhere/Land", "", None),
    ],
)
def test_takes_the_time_zone_from_profile_then_cookie(
    profile: str, cookie: str, expected: str | None
) -> None:
    request = RequestFactory().get("/")
    request.COOKIES["tz"] = cookie
    zone = viewer_timezone(request, make_guest(timezone=profile))
    assert (zone.key if zone else None) == expected


def test_knows_no_time_zone_of_a_stranger() -> None:
    assert viewer_timezone(RequestFactory().get("/"), None) is None


@pytest.mark.parametrize(
    ("asked", "language"),
    [("de-AT,de;q=0.9,en;q=0.5", "de"), ("en", "en"), ("*", ""), ("", ""), ("fr;q=0.1, pt-BR", "pt")],
)
def test_the_language_is_the_first_that_the_browser_asks_for(asked: str, language: str) -> None:
    headers = {"Accept-Language": asked} if asked else {}
    assert viewer_language(RequestFactory().get("/", headers=headers)) == language
