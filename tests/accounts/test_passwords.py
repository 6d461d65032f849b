import re
import smtplib

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import change_password, confirm_password_reset
from apps.core.errors import InvalidInput
from tests.accounts.conftest import bearer, csrf, detail
from tests.factories import PASSWORD, make_guest, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "192.0.2.7"
NEW = "another-Passphrase-9"
STALE = "This link is not valid any more: ask for a new one"


class BrokenBackend(EmailBackend):
    """A mail server that is down."""

    def open(self) -> None:
        raise smtplib.SMTPConnectError(421, "down")


def post(client: Client, path: str, body: object, headers: dict[str, str] | None = None):
    return client.post(f"/api/v1/auth/password/{path}", body, "application/json", headers=headers or {})


def mailed_link() -> tuple[str, str]:
    uid, token = re.search(
        r"http://testserver/password/reset/([^/]+)/([^/]+)/", mail.outbox[-1].body
    ).groups()
    return uid, token


# --- Change --------------------------------------------------------------------------------------


def test_changes_the_password_and_gives_new_tokens(client: Client) -> None:
    user = make_user()
    headers = bearer(user)
    response = post(client, "change", {"current_password": PASSWORD, "new_password": NEW}, headers)
    assert response.status_code == 200
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    new = {"Authorization": f"Bearer {response.json()['access']}"}
    assert client.get("/api/v1/me", headers=new).json()["id"] == user.pk
    assert User.objects.get().check_password(NEW)


def test_keeps_this_session_and_ends_the_others(visitor: Client) -> None:
    user, elsewhere = make_user(), Client()
    visitor.force_login(user)
    elsewhere.force_login(user)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert post(visitor, "change", body, csrf(visitor)).status_code == 200
    assert visitor.get("/api/v1/me").json()["id"] == user.pk
    assert elsewhere.get("/api/v1/me").json()["id"] is None


def test_refuses_a_wrong_current_password(client: Client) -> None:
    body = {"current_password": "wrong", "new_password": NEW}
    response = post(client, "change", body, bearer(make_user()))
    assert (response.status_code, detail(response)) == (400, "This is not your password")
    assert response.json()["errors"][0]["pointer"] == "/current_password"


def test_refuses_a_weak_or_endless_new_password() -> None:
    user = make_user()
    with pytest.raises(InvalidInput) as refusal:
        change_password(user=user, current=PASSWORD, new="12345678")
    assert refusal.value.detail == "This password is too common."
    assert refusal.value.errors[0].pointer == "/new_password"
    with pytest.raises(InvalidInput, match=r"^A password has at most 256 characters$"):
        change_password(user=user, current=PASSWORD, new="aB3-" * 65)


def test_throttles_guesses_at_the_current_password(client: Client) -> None:
    headers = bearer(make_user())
    body = {"current_password": "wrong", "new_password": NEW}
    assert [post(client, "change", body, headers).status_code for _ in range(6)] == [400] * 5 + [429]


# --- Reset ---------------------------------------------------------------------------------------


def test_mails_a_link_that_sets_a_password_once(client: Client) -> None:
    user = make_user("ada", email="ada@example.org")
    assert post(client, "reset", {"email": "ADA@example.org"}).status_code == 202
    assert mail.outbox[0].to == ["ada@example.org"]
    assert mail.outbox[0].subject == "Set a new password for Marquee"
    assert mail.outbox[0].body.startswith("Hello ada,\n")
    uid, token = mailed_link()
    body = {"uid": uid, "token": token, "password": NEW}
    assert post(client, "reset/confirm", body).status_code == 204
    user.refresh_from_db()
    assert user.check_password(NEW)
    again = post(client, "reset/confirm", body)
    assert (again.status_code, detail(again)) == (400, STALE)


def test_answers_alike_whether_the_address_is_known_or_not(client: Client, django_assert_num_queries) -> None:
    make_user(email="ada@example.org")
    answers = []
    for address in ("ada@example.org", "nobody@example.org"):
        with django_assert_num_queries(1):
            response = post(client, "reset", {"email": address})
        answers.append((response.status_code, response.content, len(mail.outbox)))
    assert answers == [(202, b"", 1), (202, b"", 1)]


def test_answers_alike_when_the_mail_server_is_down(client: Client, settings, caplog) -> None:
    settings.EMAIL_BACKEND = "tests.accounts.test_passwords.BrokenBackend"
    make_user(email="ada@example.org")
    for address in ("ada@example.org", "nobody@example.org"):
        assert post(client, "reset", {"email": address}).status_code == 202
    assert [record.getMessage() for record in caplog.records].count("password_reset_mail_failed count=1") == 2


def test_mails_to_nobody_who_has_no_password(client: Client) -> None:
    make_user(email="ada@example.org", is_active=False)
    make_user(email="ada@example.org", is_imported=True)
    make_user(email="ada@example.org", password=None)
    User.objects.filter(pk=make_guest().pk).update(email="ada@example.org")
    for address in ("ada@example.org", "", " "):
        post(client, "reset", {"email": address})
    assert mail.outbox == []


def test_mails_to_the_stored_address_never_to_the_one_asked_with(client: Client) -> None:
    """Letters that a database may fold into ASCII, such as the Kelvin sign, lead nowhere else."""
    make_user(email="mike@example.org")
    for address in ("mi\N{KELVIN SIGN}e@example.org", "MIKE@example.org"):
        post(client, "reset", {"email": address})
    assert {message.to[0] for message in mail.outbox} == {"mike@example.org"}


def test_throttles_requests_by_address(client: Client) -> None:
    codes = [post(client, "reset", {"email": "nobody@example.org"}).status_code for _ in range(31)]
    assert (codes[:30], codes[30]) == ([202] * 30, 429)


def test_throttles_guesses_at_a_link_by_address(client: Client, time_machine) -> None:
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    guess = {"uid": "MQ", "token": "c0ffee-0123456789", "password": NEW}
    answers = [post(client, "reset/confirm", guess) for _ in range(31)]
    assert {detail(response) for response in answers[:30]} == {STALE}
    assert detail(answers[30]) == "Too many attempts from this address: try again in 64 seconds"


@pytest.mark.parametrize("uid", ["", "x", "!!", "MA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "é"])
def test_refuses_a_link_to_nobody(uid: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        confirm_password_reset(uid=uid, token="c0ffee-0123456789", password=NEW, address=ADDRESS)
    assert refusal.value.detail == STALE


def test_a_link_is_no_ticket_for_another_account(client: Client) -> None:
    make_user(email="ada@example.org")
    other = make_user(email="eve@example.org")
    post(client, "reset", {"email": "eve@example.org"})
    eve_uid, _ = mailed_link()
    post(client, "reset", {"email": "ada@example.org"})
    _, ada_token = mailed_link()
    with pytest.raises(InvalidInput):
        confirm_password_reset(uid=eve_uid, token=ada_token, password=NEW, address=ADDRESS)
    other.refresh_from_db()
    assert other.check_password(PASSWORD)


def test_a_weak_password_leaves_the_link_good(client: Client) -> None:
    make_user(email="ada@example.org")
    post(client, "reset", {"email": "ada@example.org"})
    uid, token = mailed_link()
    response = post(client, "reset/confirm", {"uid": uid, "token": token, "password": "password"})
    assert (response.status_code, detail(response)) == (400, "This password is too common.")
    assert post(client, "reset/confirm", {"uid": uid, "token": token, "password": NEW}).status_code == 204


def test_a_link_dies_with_a_change_of_password(client: Client) -> None:
    user = make_user(email="ada@example.org")
    post(client, "reset", {"email": "ada@example.org"})
    uid, token = mailed_link()
    change_password(user=user, current=PASSWORD, new=NEW)
    assert (
        post(client, "reset/confirm", {"uid": uid, "token": token, "password": PASSWORD}).status_code == 400
    )
