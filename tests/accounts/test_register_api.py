import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from tests.accounts.conftest import csrf, detail
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a-fine-Passphrase-7"


def register(client: Client, headers: dict[str, str] | None = None, **body: object):
    body = {"username": "ada", "password": PASSWORD, **body}
    return client.post("/api/v1/auth/register", body, "application/json", headers=headers or {})


def test_makes_an_account_and_gives_tokens(client: Client) -> None:
    response = register(client, email="Ada@Example.ORG")
    user = User.objects.get()
    assert response.status_code == 201
    assert response.json().keys() == {"id", "username", "access", "refresh"}
    assert (response.json()["id"], response.json()["username"]) == (user.pk, "ada")
    assert (user.email, user.is_staff, user.is_superuser) == ("Ada@example.org", False, False)


def test_claims_the_guest_of_the_cookie(visitor: Client) -> None:
    guest_id = visitor.post("/feedback/", headers=csrf(visitor)).json()["user_id"]
    assert register(visitor).status_code == 403
    assert register(visitor, csrf(visitor)).json()["id"] == guest_id
    assert visitor.get("/api/v1/me").json()["id"] is None


def test_a_browser_of_before_any_feedback_gets_a_row_of_its_own(visitor: Client) -> None:
    assert register(visitor, csrf(visitor)).status_code == 201
    assert User.objects.get().has_account


def test_throttles_sign_ups_by_address(client: Client, time_machine) -> None:
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    answers = [register(client, username=f"guest-{number}") for number in range(31)]
    assert {response.status_code for response in answers[:30]} == {400}
    assert detail(answers[30]) == "Too many sign-ups from this address: try again in 64 seconds"


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "id", "unit_key", "is_guest", "groups"])
def test_refuses_every_field_it_does_not_name(client: Client, field: str) -> None:
    response = register(client, **{field: True})
    assert (response.status_code, detail(response)) == (
        400,
        f"There is no field '{field}' here; there are: username, password, email",
    )
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer", "sentence"),
    [
        ({"username": "ADA-1"}, "/username", "The username 'ADA-1' is taken"),
        ({"username": "guest-1"}, "/username", "A username cannot begin with guest-"),
        (
            {"username": "a b"},
            "/username",
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        ),
        ({"email": "nowhere"}, "/email", "Enter a valid email address."),
        (
            {"password": "x7-Kq"},
            "/password",
            "This password is too short. It must contain at least 8 characters.",
        ),
        (
            {"password": "ada-lovelace", "username": "ada-lovelace"},
            "/password",
            "The password is too similar to the username.",
        ),
        ({"username": ""}, "/username", "This field may not be blank."),
        ({"username": None}, "/username", "This field may not be null."),
    ],
)
def test_says_what_is_wrong(client: Client, body: dict[str, object], pointer: str, sentence: str) -> None:
    make_user("ada-1")
    response = register(client, **body)
    assert (response.status_code, detail(response)) == (400, sentence)
    assert response.json()["errors"][0] == {"pointer": pointer, "detail": sentence}


def test_names_every_fault_of_a_password(client: Client) -> None:
    response = register(client, password="1234567")
    assert [error["detail"] for error in response.json()["errors"]] == [
        "This password is too short. It must contain at least 8 characters.",
        "This password is too common.",
        "This password is entirely numeric.",
    ]


def test_refuses_a_name_that_only_looks_new(client: Client) -> None:
    make_user("ada")
    assert register(client, username="ＡＤＡ").status_code == 400
    assert User.objects.count() == 1


def test_refuses_a_name_taken_meanwhile(client: Client) -> None:
    """The look finds nothing, the write hits the index."""
    other = make_user("ada")

    def rename(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO") and "users" in sql:
            execute('UPDATE "users" SET "username" = %s WHERE "id" = %s', ("Ada", other.pk), False, context)
        return execute(sql, params, many, context)

    User.objects.filter(pk=other.pk).update(username="other")
    with connection.execute_wrapper(rename):
        response = register(client)
    assert (response.status_code, detail(response)) == (400, "The username 'ada' is taken")
