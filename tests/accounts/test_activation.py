"""Letting somebody in no more, and again."""

import pytest
from django.test import Client

from apps.accounts.models import Session, User
from apps.accounts.services import activate_user, deactivate_user, merge_guest
from apps.accounts.tokens import issue_tokens
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_guest, make_staff, make_user

pytestmark = pytest.mark.django_db


def deactivate(user: User) -> User:
    return deactivate_user(user=user, by=make_staff(), reason="Spam")


def log_in(client: Client) -> tuple[int, str | None]:
    form = {"username": "ada", "password": PASSWORD}
    answer = client.post("/api/v1/auth/token", form, "application/json")
    return answer.status_code, answer.json().get("detail")


def test_a_deactivated_account_is_out_of_the_site_and_the_api_at_once(client: Client) -> None:
    user = make_user("ada")
    client.force_login(user)
    tokens = issue_tokens(user)
    deactivate(user)
    bearer = {"Authorization": f"Bearer {tokens.access}"}
    assert client.get("/api/v1/me", headers=bearer).status_code == 401
    spent = client.post("/api/v1/auth/token/refresh", {"refresh": tokens.refresh}, "application/json")
    assert spent.status_code == 401
    assert not Session.objects.filter(user=user).exists()
    assert log_in(client) == (401, "The username or the password is wrong")


def test_who_is_activated_again_logs_in_with_the_same_password(client: Client) -> None:
    user = deactivate(make_user("ada"))
    activate_user(user=user, by=make_staff(), reason="A mistake")
    assert log_in(client) == (200, None)


def test_both_go_into_the_audit_with_their_reason() -> None:
    user, staff = make_user(), make_staff(username="grace")
    deactivate_user(user=user, by=staff, reason="Spam")
    activate_user(user=user, by=staff, reason="A mistake")
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor_name", "target_id", "reason")
    assert list(entries) == [
        ("accounts.deactivate_user", "grace", str(user.pk), "Spam"),
        ("accounts.activate_user", "grace", str(user.pk), "A mistake"),
    ]


def test_nobody_deactivates_themselves() -> None:
    staff = make_staff()
    with pytest.raises(Conflict, match=r"^Nobody deactivates themselves: ask a colleague$"):
        deactivate_user(user=staff, by=staff, reason="")


def test_refuses_who_is_out_or_in_already() -> None:
    user = make_user("ada")
    with pytest.raises(Conflict, match=r"^ada is active already$"):
        activate_user(user=user, by=make_staff(), reason="")
    deactivate(user)
    with pytest.raises(Conflict, match=r"^ada is deactivated already$"):
        deactivate(user)


def test_a_guest_who_became_an_account_is_not_activated() -> None:
    guest = make_guest(username="guest-x")
    merge_guest(guest=guest, into=make_user())
    with pytest.raises(Conflict, match=r"^guest-x is part of another account$"):
        activate_user(user=guest, by=make_staff(), reason="")
