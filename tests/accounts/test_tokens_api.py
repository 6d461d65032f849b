import pytest
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.accounts import tokens
from apps.accounts.models import User
from apps.core.errors import CredentialsRefused
from tests.accounts.conftest import csrf, detail
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
SPENT = "This refresh token is not valid, has expired or was used before"


def post(client: Client, path: str, body: object, **headers: str):
    return client.post(f"/api/v1/auth/{path}", body, "application/json", headers=headers)


def pair(client: Client, user: User) -> dict[str, str]:
    return post(client, "token", {"username": user.username, "password": PASSWORD}).json()


def test_gives_a_pair_for_name_and_password(client: Client) -> None:
    user = make_user()
    held = pair(client, user)
    assert set(held) == {"access", "refresh"}
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {held['access']}"}).json()
    assert me["id"] == user.pk


def test_refuses_a_wrong_password(client: Client) -> None:
    response = post(client, "token", {"username": make_user().username, "password": "wrong"})
    assert (response.status_code, detail(response)) == (401, "The username or the password is wrong")


def test_a_stale_token_keeps_nobody_from_logging_in(client: Client) -> None:
    user = make_user()
    body = {"username": user.username, "password": PASSWORD}
    assert post(client, "token", body, Authorization="Bearer stale").status_code == 200


def test_merges_the_guest_of_the_cookie(visitor: Client) -> None:
    user = make_user()
    guest_id = visitor.post("/feedback/", headers=csrf(visitor)).json()["user_id"]
    body = {"username": user.username, "password": PASSWORD}
    assert post(visitor, "token", body).status_code == 403
    assert post(visitor, "token", body, **csrf(visitor)).status_code == 200
    assert User.objects.get(pk=guest_id).merged_into == user


def test_a_refresh_token_serves_once(client: Client) -> None:
    held = pair(client, make_user())
    new = post(client, "token/refresh", {"refresh": held["refresh"]})
    assert new.status_code == 200
    assert new.json()["refresh"] != held["refresh"]
    again = post(client, "token/refresh", {"refresh": held["refresh"]})
    assert (again.status_code, detail(again)) == (401, SPENT)
    assert post(client, "token/refresh", {"refresh": new.json()["refresh"]}).status_code == 200


def test_of_two_requests_with_one_refresh_token_one_is_served(client: Client) -> None:
    """Both have read the token before either has spent it."""
    first, second = (RefreshToken(pair(client, make_user())["refresh"]) for _ in range(2))
    tokens._spend(first)
    with pytest.raises(CredentialsRefused) as refusal:
        tokens._spend(first)
    assert refusal.value.detail == SPENT
    tokens._spend(second)


def test_a_client_without_cookies_gets_none(client: Client) -> None:
    user = make_user()
    response = post(client, "token", {"username": user.username, "password": PASSWORD})
    assert not response.cookies


def test_refuses_to_refresh_after_a_change_of_password(client: Client) -> None:
    user = make_user()
    held = pair(client, user)
    user.set_password("another-Passphrase-9")
    user.save()
    response = post(client, "token/refresh", {"refresh": held["refresh"]})
    assert (response.status_code, detail(response)) == (401, "The password has changed since: log in again")


@pytest.mark.parametrize("gone", ["deactivated", "deleted"])
def test_refuses_to_refresh_for_those_who_are_gone(client: Client, gone: str) -> None:
    user = make_user()
    held = pair(client, user)
    rows = User.objects.filter(pk=user.pk)
    rows.update(is_active=False) if gone == "deactivated" else rows.delete()
    response = post(client, "token/refresh", {"refresh": held["refresh"]})
    assert (response.status_code, detail(response)) == (401, "There is no active account of this token")


def test_refuses_what_is_no_refresh_token(client: Client) -> None:
    for text in ("x", "a.b.c", "é" * 10, str(AccessToken.for_user(make_user()))):
        for path in ("token/refresh", "token/blacklist"):
            response = post(client, path, {"refresh": text})
            assert (response.status_code, detail(response)) == (401, SPENT)


def test_a_blacklisted_token_is_spent(client: Client) -> None:
    held = pair(client, make_user())
    assert post(client, "token/blacklist", {"refresh": held["refresh"]}).status_code == 204
    for path in ("token/refresh", "token/blacklist"):
        assert post(client, path, {"refresh": held["refresh"]}).status_code == 401
    assert OutstandingToken.objects.count() == 1


def test_throttles_refreshing_by_address(client: Client) -> None:
    codes = [post(client, "token/refresh", {"refresh": "x"}).status_code for _ in range(31)]
    assert (codes[:30], codes[30]) == ([401] * 30, 429)


@pytest.mark.parametrize(
    ("body", "pointer", "sentence"),
    [
        (
            {"username": "a", "password": "b", "user_id": 1},
            "/user_id",
            "There is no field 'user_id' here; there are: username, password",
        ),
        ({"username": "a"}, "/password", "This field is required."),
        ({"username": 5, "password": "b"}, "/username", "Not a valid string."),
        ({"username": ["a"], "password": "b"}, "/username", "Not a valid string."),
        (
            {"username": "a" * 151, "password": "b"},
            "/username",
            "Ensure this field has no more than 150 characters.",
        ),
        ([], "", "Invalid data. Expected a dictionary, but got list."),
    ],
)
def test_refuses_a_body_that_is_not_exactly_right(
    client: Client, body: object, pointer: str, sentence: str
) -> None:
    response = post(client, "token", body)
    assert (response.status_code, detail(response)) == (400, sentence)
    assert response.json()["errors"] == [{"pointer": pointer, "detail": sentence}]


def test_takes_one_slash_at_the_end(client: Client) -> None:
    body = {"username": make_user().username, "password": PASSWORD}
    assert post(client, "token/", body).status_code == 200
    assert client.post("/api/v1/auth/token//", body, "application/json").status_code == 404
