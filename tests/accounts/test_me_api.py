import io
import json
import zipfile

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.accounts.conftest import bearer, csrf, detail
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def patch(client: Client, body: object, headers: dict[str, str]):
    return client.patch("/api/v1/me", body, "application/json", headers=headers)


def delete(client: Client, body: object, headers: dict[str, str]):
    return client.delete("/api/v1/me", body, "application/json", headers=headers)


def guest_of(visitor: Client) -> User:
    return User.objects.get(pk=visitor.post("/feedback/", headers=csrf(visitor)).json()["user_id"])


def test_shows_a_stranger_as_a_guest_without_row(visitor: Client) -> None:
    visitor.cookies["tz"] = "Europe%2FBerlin"
    assert visitor.get("/api/v1/me").json() == {
        "id": None,
        "username": "",
        "email": "",
        "is_guest": True,
        "is_staff": False,
        "timezone": "Europe/Berlin",
        "date_joined": None,
    }


def test_changes_the_time_zone(client: Client) -> None:
    user = make_user()
    response = patch(client, {"timezone": "Asia/Tokyo"}, bearer(user))
    assert (response.status_code, response.json()["timezone"]) == (200, "Asia/Tokyo")
    assert patch(client, {"timezone": ""}, bearer(user)).json()["timezone"] is None


def test_a_time_zone_makes_a_guest(visitor: Client) -> None:
    response = patch(visitor, {"timezone": "Asia/Tokyo"}, csrf(visitor))
    assert response.status_code == 200
    assert User.objects.get(pk=response.json()["id"]).is_guest


def test_refuses_a_time_zone_that_is_none(client: Client) -> None:
    response = patch(client, {"timezone": "Mars/Olympus"}, bearer(make_user()))
    assert (response.status_code, detail(response)) == (
        400,
        "There is no time zone 'Mars/Olympus'; give one like Europe/Berlin",
    )


def test_an_email_address_needs_the_password(client: Client) -> None:
    user = make_user()
    response = patch(client, {"email": "ada@example.org"}, bearer(user))
    assert (response.status_code, detail(response)) == (400, "Changing the email address needs your password")
    response = patch(client, {"email": "ada@example.org", "password": "wrong"}, bearer(user))
    assert (response.status_code, detail(response)) == (400, "This is not your password")
    response = patch(client, {"email": "ada@example.org", "password": PASSWORD}, bearer(user))
    assert response.json()["email"] == "ada@example.org"


def test_a_guest_has_no_email_address(visitor: Client) -> None:
    response = patch(visitor, {"email": "ada@example.org"}, csrf(visitor))
    assert (response.status_code, detail(response)) == (400, "A guest has no email address: sign up first")


@pytest.mark.parametrize("field", ["id", "username", "is_staff", "is_guest", "unit_key", "date_joined"])
def test_changes_nothing_else(client: Client, field: str) -> None:
    response = patch(client, {field: True}, bearer(make_user()))
    assert (response.status_code, detail(response)) == (
        400,
        f"There is no field '{field}' here; there are: timezone, email, password",
    )


def test_erases_an_account_with_its_password_and_ends_the_session(visitor: Client) -> None:
    user = make_user()
    visitor.force_login(user)
    response = delete(visitor, {"password": PASSWORD}, csrf(visitor))
    assert response.status_code == 204
    assert not User.objects.exists()
    answer = visitor.get("/api/v1/who").json()
    assert (answer["user_id"], answer["counted"]) == (None, True)
    assert answer["unit"] != user.unit_key.hex


@pytest.mark.parametrize(
    ("body", "sentence"),
    [({}, "Erasing an account needs its password"), ({"password": "wrong"}, "This is not your password")],
)
def test_erases_no_account_without_its_password(client: Client, body: object, sentence: str) -> None:
    response = delete(client, body, bearer(make_user()))
    assert (response.status_code, detail(response)) == (400, sentence)
    assert User.objects.exists()


def test_erases_a_guest_and_gives_the_browser_a_new_unit(visitor: Client) -> None:
    guest = guest_of(visitor)
    assert visitor.delete("/api/v1/me").status_code == 403
    assert delete(visitor, {}, csrf(visitor)).status_code == 204
    assert not User.objects.exists()
    assert visitor.get("/api/v1/who").json()["unit"] != guest.unit_key.hex


def test_erasing_a_stranger_only_renews_the_unit(visitor: Client) -> None:
    unit = visitor.cookies["unit"].value
    assert delete(visitor, {}, csrf(visitor)).status_code == 204
    assert visitor.cookies["unit"].value != unit


@pytest.mark.parametrize("accept", ["*/*", "application/zip", "application/json"])
def test_exports_everything_as_a_zip(visitor: Client, accept: str) -> None:
    guest = guest_of(visitor)
    response = visitor.get("/api/v1/me/export", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="marquee-export.zip"'
    profile = json.loads(zipfile.ZipFile(io.BytesIO(response.content)).read("profile.json"))
    assert profile[0]["id"] == guest.pk


@pytest.mark.parametrize("accept", ["*/*", "application/zip"])
def test_has_nothing_to_export_of_a_stranger(visitor: Client, accept: str) -> None:
    response = visitor.get("/api/v1/me/export", headers={"Accept": accept})
    assert (response.status_code, detail(response)) == (404, "Nothing is held about you yet")
