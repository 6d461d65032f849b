import base64
import json
from datetime import timedelta

import jwt
import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.accounts.authentication import ApiKeyAuthentication
from apps.accounts.models import ApiKey, User
from tests.accounts.conftest import bearer, csrf, detail, with_key
from tests.factories import PASSWORD, make_api_key, make_guest, make_user

pytestmark = pytest.mark.django_db


def me(client: Client, token: object):
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def encoded(**part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


# --- JSON web tokens -----------------------------------------------------------------------------


def test_a_token_names_its_user(client: Client) -> None:
    user = make_user()
    assert client.get("/api/v1/me", headers=bearer(user)).json()["id"] == user.pk


def test_refuses_a_token_without_signature(client: Client) -> None:
    claims = AccessToken.for_user(make_user()).payload
    for header in ({"alg": "none", "typ": "JWT"}, {"alg": "HS256", "typ": "JWT"}):
        response = me(client, f"{encoded(**header)}.{encoded(**claims)}.")
        assert (response.status_code, detail(response)) == (401, "Given token not valid for any token type")
        assert response.json()["type"] == "urn:marquee:problem:token-not-valid"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_refuses_a_token_signed_with_another_key(client: Client) -> None:
    forged = jwt.encode(AccessToken.for_user(make_user()).payload, "x" * 40, algorithm="HS256")
    assert me(client, forged).status_code == 401


def test_refuses_an_expired_token(client: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=31)):
        token = AccessToken.for_user(make_user())
    assert me(client, token).status_code == 401


def test_refuses_a_refresh_token_as_access(client: Client) -> None:
    assert me(client, RefreshToken.for_user(make_user())).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a b", "\x80\x81", "é.é.é", "." * 50, "null"])
def test_refuses_what_is_no_token(client: Client, token: str) -> None:
    assert me(client, token).status_code == 401


def test_refuses_a_deactivated_user(client: Client) -> None:
    user = make_user()
    headers = bearer(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    response = client.get("/api/v1/me", headers=headers)
    assert (response.status_code, detail(response)) == (401, "User is inactive")


def test_refuses_a_token_after_a_change_of_password(client: Client) -> None:
    user = make_user()
    headers = bearer(user)
    user.set_password("another-Passphrase-9")
    user.save()
    response = client.get("/api/v1/me", headers=headers)
    assert (response.status_code, detail(response)) == (401, "The user's password has been changed.")


def test_refuses_a_token_of_an_erased_user(client: Client) -> None:
    user = make_user()
    headers = bearer(user)
    assert (
        client.delete("/api/v1/me", {"password": PASSWORD}, "application/json", headers=headers).status_code
        == 204
    )
    response = client.get("/api/v1/me", headers=headers)
    assert (response.status_code, detail(response)) == (401, "User not found")


def test_a_token_needs_no_csrf_even_beside_cookies(visitor: Client) -> None:
    response = visitor.patch(
        "/api/v1/me", {"timezone": "Asia/Tokyo"}, "application/json", headers=bearer(make_user())
    )
    assert response.status_code == 200


# --- API keys ------------------------------------------------------------------------------------


def keys_answer(client: Client, text: str) -> tuple[int, str]:
    response = client.get("/api/v1/keepers", headers=with_key(text))
    return response.status_code, "" if response.status_code == 200 else detail(response)


def test_a_key_opens_what_its_scope_says(client: Client) -> None:
    assert keys_answer(client, make_api_key("catalog.write")[1]) == (200, "")


def test_refuses_a_key_without_the_scope(client: Client) -> None:
    _, text = make_api_key("analytics.read")
    assert keys_answer(client, text) == (403, "This API key lacks the scope catalog.write")


def test_refuses_a_key_where_only_people_may(client: Client) -> None:
    response = client.get("/api/v1/people-only", headers=with_key(make_api_key("catalog.write")[1]))
    assert (response.status_code, detail(response)) == (403, "API keys cannot do this")


def test_refuses_an_unknown_key(client: Client) -> None:
    assert keys_answer(client, "no-such-key") == (401, "There is no such API key")


def test_refuses_a_revoked_key(client: Client) -> None:
    key, text = make_api_key("catalog.write")
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert keys_answer(client, text) == (401, "This API key has been revoked")


def test_refuses_an_expired_key(client: Client) -> None:
    _, text = make_api_key("catalog.write", expires_at=timezone.now() + timedelta(days=1))
    assert keys_answer(client, text)[0] == 200
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert keys_answer(client, text) == (401, "This API key has expired")


@pytest.mark.parametrize("header", ["Api-Key", "Api-Key a b"])
def test_says_how_the_header_must_read(client: Client, header: str) -> None:
    response = client.get("/api/v1/keepers", headers={"Authorization": header})
    assert (response.status_code, detail(response)) == (
        401,
        "The header must read: Authorization: Api-Key <key>",
    )


def test_the_prefix_and_the_digest_are_no_keys(client: Client) -> None:
    key, _ = make_api_key("catalog.write")
    assert keys_answer(client, key.prefix)[0] == keys_answer(client, key.digest)[0] == 401


def test_notes_the_use_of_a_key_once_a_day(client: Client, django_assert_num_queries) -> None:
    key, text = make_api_key("catalog.write")
    with django_assert_num_queries(2):
        keys_answer(client, text)
    with django_assert_num_queries(1):
        keys_answer(client, text)
    key.refresh_from_db()
    assert key.last_used_on == timezone.now().date()


def test_a_key_is_nobody(client: Client) -> None:
    response = client.get("/api/v1/me", headers=with_key(make_api_key("act_for_users")[1]))
    assert (response.status_code, detail(response)) == (
        403,
        "An API key is no person: there is nothing of its own here",
    )


def test_a_key_does_not_borrow_the_browsers_unit(visitor: Client) -> None:
    user = make_user()
    headers = with_key(make_api_key("act_for_users")[1])
    answer = visitor.get(f"/api/v1/who?user_id={user.pk}", headers=headers).json()
    assert answer == {"user_id": user.pk, "unit": None, "counted": False}


def test_asks_for_a_key_by_name() -> None:
    assert ApiKeyAuthentication().authenticate_header(None) == "Api-Key"


# --- The browser's session -----------------------------------------------------------------------


def test_a_sessions_write_needs_the_csrf_token(visitor: Client) -> None:
    visitor.force_login(make_user())
    body = {"timezone": "Asia/Tokyo"}
    response = visitor.patch("/api/v1/me", body, "application/json")
    assert response.status_code == 403
    assert detail(response) == (
        "The CSRF check failed: CSRF token missing. Send the value of the csrftoken cookie as X-CSRFToken."
    )
    assert response.json()["type"] == "urn:marquee:problem:csrf-refused"
    assert visitor.patch("/api/v1/me", body, "application/json", headers=csrf(visitor)).status_code == 200


def test_a_session_of_a_deactivated_user_is_nobodys(visitor: Client) -> None:
    user = make_user()
    visitor.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert visitor.get("/api/v1/me").json()["id"] is None


# --- The guest's cookie --------------------------------------------------------------------------


def test_a_guests_write_needs_the_csrf_token_before_and_after_the_row(visitor: Client) -> None:
    for _ in range(2):
        assert visitor.post("/api/v1/who", {}, "application/json").status_code == 403
        assert visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor)).status_code == 200
    assert User.objects.filter(is_guest=True).count() == 1


def test_refuses_a_wrong_csrf_token(visitor: Client) -> None:
    response = visitor.post("/api/v1/who", {}, "application/json", headers={"X-CSRFToken": "x" * 32})
    assert response.status_code == 403
    assert detail(response).startswith("The CSRF check failed: CSRF token from the 'X-Csrftoken' HTTP header")


def test_refuses_a_guests_write_from_another_site(visitor: Client) -> None:
    headers = {**csrf(visitor), "Origin": "https://evil.example"}
    response = visitor.post("/api/v1/who", {}, "application/json", headers=headers)
    assert response.status_code == 403
    assert "https://evil.example does not match any trusted origins" in detail(response)


def test_the_cookie_names_the_guest_of_its_key(visitor: Client) -> None:
    first = visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor)).json()
    guest = User.objects.get(pk=first["user_id"])
    assert (guest.unit_key.hex, guest.has_usable_password()) == (first["unit"], False)
    assert visitor.get("/api/v1/me").json() | {"date_joined": None} == {
        "id": guest.pk,
        "username": guest.username,
        "email": "",
        "is_guest": True,
        "is_staff": False,
        "timezone": None,
        "date_joined": None,
    }


@pytest.mark.parametrize(
    "values", [{"is_guest": False}, {"is_active": False}, {"is_guest": False, "is_imported": True}]
)
def test_the_cookie_opens_nothing_but_a_guest(visitor: Client, values: dict[str, bool]) -> None:
    user_id = visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor)).json()["user_id"]
    User.objects.filter(pk=user_id).update(**values)
    assert visitor.get("/api/v1/who").json()["user_id"] is None
    again = visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor)).json()["user_id"]
    assert again not in {user_id, None}


def test_the_cookie_of_a_merged_guest_opens_nothing(visitor: Client) -> None:
    user_id = visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor)).json()["user_id"]
    User.objects.filter(pk=user_id).update(merged_into=make_user())
    assert visitor.get("/api/v1/me").json()["id"] is None


def test_a_write_without_any_credential_makes_no_guest(browser: Client) -> None:
    make_guest()
    response = browser.post("/api/v1/who", {}, "application/json")
    assert (response.status_code, detail(response)) == (
        401,
        "Log in, or send the unit cookie that a first GET sets",
    )
    assert User.objects.count() == 1
