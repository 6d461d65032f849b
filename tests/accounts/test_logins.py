from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import authenticate_account
from apps.accounts.sessions import SessionStore
from apps.core.errors import CredentialsRefused, TooMany
from tests.accounts.conftest import csrf, detail
from tests.factories import PASSWORD, make_guest, make_user

pytestmark = pytest.mark.django_db
WRONG = "The username or the password is wrong"


def log_in(username: str, password: str = PASSWORD, address: str = "192.0.2.7") -> User:
    return authenticate_account(username=username, password=password, address=address)


def refusal(username: str, password: str = PASSWORD) -> str:
    with pytest.raises(CredentialsRefused) as refused:
        log_in(username, password)
    return refused.value.detail


def test_knows_a_name_in_any_case() -> None:
    user = make_user("Ada")
    assert log_in("Ada") == log_in("aDA") == user


def test_refuses_all_alike() -> None:
    make_user("ada")
    make_user("gone", is_active=False)
    make_guest(username="guest-1")
    make_user("imported", is_imported=True)
    assert refusal("ada", "wrong") == WRONG
    for name in ("nobody", "gone", "guest-1", "imported"):
        assert refusal(name) == WRONG


def test_hashes_once_whether_the_name_is_known_or_not() -> None:
    make_user("ada")
    make_guest(username="guest-1")
    make_user("gone", is_active=False)
    counts = []
    for name in ("ada", "nobody", "guest-1", "gone"):
        with patch.object(
            MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode
        ) as hashed:
            refusal(name, "wrong")
        counts.append(hashed.call_count)
    assert len(set(counts)) == 1


def test_throttles_by_name_in_any_case_known_or_not(time_machine) -> None:
    time_machine.move_to("2026-11-21T12:00:30Z", tick=False)
    make_user("ada")
    for name in ("ada", "nobody"):
        for attempt in range(5):
            with pytest.raises(CredentialsRefused):
                log_in(name, "wrong", address=f"192.0.2.{attempt}")
        with pytest.raises(TooMany) as refused:
            log_in(name.upper(), PASSWORD, address="198.51.100.1")
        assert refused.value.detail == "Too many attempts to log in with this name: try again in 50 seconds"


def test_lets_in_again_after_the_time_it_named(time_machine) -> None:
    time_machine.move_to("2026-11-21T12:00:30Z", tick=False)
    user = make_user("ada")
    for _ in range(5):
        refusal("ada", "wrong")
    with pytest.raises(TooMany) as refused:
        log_in("ada")
    time_machine.shift(refused.value.retry_after)
    assert log_in("ada") == user


def test_throttles_by_address(time_machine) -> None:
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    for number in range(30):
        refusal(f"nobody-{number}")
    make_user("ada")
    with pytest.raises(TooMany, match=r"^Too many attempts to log in from this address: try again in"):
        log_in("ada")
    assert log_in("ada", address="192.0.2.8")


def test_believes_no_forged_address(client: Client) -> None:
    for number in range(31):
        response = client.post(
            "/api/v1/auth/token",
            {"username": f"nobody-{number}", "password": "x"},
            "application/json",
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert response.status_code == 429
    assert detail(response).startswith("Too many attempts to log in from this address")
    assert int(response.headers["Retry-After"]) > 0


def test_a_login_opens_a_session_under_a_new_key(visitor: Client) -> None:
    """Whoever planted a session before knows nothing of the one after."""
    make_user("ada")
    planted = SessionStore()
    planted["theme"] = "dark"
    planted.create()
    visitor.cookies["sessionid"] = planted.session_key
    visitor.post("/login/", {"username": "ada", "password": PASSWORD}, headers=csrf(visitor))
    assert visitor.session["theme"] == "dark"
    assert visitor.cookies["sessionid"].value != planted.session_key
    assert not planted.exists(planted.session_key)


def test_a_login_merges_the_guest_and_takes_the_accounts_unit(visitor: Client) -> None:
    user = make_user("ada")
    guest_id = visitor.post("/feedback/", headers=csrf(visitor)).json()["user_id"]
    visitor.post("/login/", {"username": "ada", "password": PASSWORD}, headers=csrf(visitor))
    assert User.objects.get(pk=guest_id).merged_into == user
    assert visitor.get("/api/v1/who").json() == {
        "user_id": user.pk,
        "unit": user.unit_key.hex,
        "counted": True,
    }


def test_a_second_login_merges_nothing(visitor: Client) -> None:
    make_user("ada")
    for _ in range(2):
        visitor.post("/login/", {"username": "ada", "password": PASSWORD}, headers=csrf(visitor))
    assert User.objects.count() == 1


def test_a_logout_makes_the_browser_a_new_visitor(visitor: Client) -> None:
    user = make_user("ada")
    visitor.post("/login/", {"username": "ada", "password": PASSWORD}, headers=csrf(visitor))
    visitor.post("/logout/", headers=csrf(visitor))
    answer = visitor.get("/api/v1/who").json()
    assert (answer["user_id"], answer["counted"]) == (None, True)
    assert answer["unit"] != user.unit_key.hex
