import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from tests.accounts.conftest import bearer, csrf, detail, with_key
from tests.factories import make_api_key, make_guest, make_user

pytestmark = pytest.mark.django_db


def who(client: Client, user_id: int | None, headers: dict[str, str]):
    query = "" if user_id is None else f"?user_id={user_id}"
    return client.get(f"/api/v1/who{query}", headers=headers)


def may_act() -> User:
    user = make_user()
    user.user_permissions.add(Permission.objects.get(codename="act_for_users"))
    return user


def test_acts_for_the_caller_named_or_not(client: Client) -> None:
    user = make_user()
    for user_id in (None, user.pk):
        assert who(client, user_id, bearer(user)).json()["user_id"] == user.pk


def test_refuses_to_act_for_another(client: Client) -> None:
    user, other = make_user(), make_user()
    response = who(client, other.pk, bearer(user))
    assert (response.status_code, detail(response)) == (
        403,
        f"You may act only for yourself: user_id must be {user.pk} or left out",
    )


def test_refuses_to_tell_whether_another_exists(client: Client) -> None:
    user = make_user()
    assert who(client, 10**12, bearer(user)).status_code == 403


def test_refuses_a_stranger_who_names_somebody(visitor: Client) -> None:
    response = who(visitor, make_user().pk, {})
    assert (response.status_code, detail(response)) == (
        403,
        "You may act only for yourself: leave user_id out",
    )


def test_refuses_a_guest_who_names_another_in_a_body(visitor: Client) -> None:
    victim = make_user()
    response = visitor.post("/api/v1/who", {"user_id": victim.pk}, "application/json", headers=csrf(visitor))
    assert response.status_code == 403
    assert not User.objects.filter(is_guest=True).exists()


def test_the_permission_acts_for_others(client: Client) -> None:
    actor, other = may_act(), make_user()
    assert who(client, other.pk, bearer(actor)).json()["user_id"] == other.pk
    assert who(client, None, bearer(actor)).json()["user_id"] == actor.pk


def test_a_key_must_say_for_whom(client: Client) -> None:
    headers = with_key(make_api_key("act_for_users")[1])
    for response, pointer in (
        (who(client, None, headers), "?user_id"),
        (client.post("/api/v1/who", {}, "application/json", headers=headers), "/user_id"),
    ):
        assert (response.status_code, detail(response)) == (
            400,
            "An API key must say for whom it acts: give user_id",
        )
        assert response.json()["errors"][0]["pointer"] == pointer


def test_a_key_without_the_scope_acts_for_nobody(client: Client) -> None:
    response = who(client, make_user().pk, with_key(make_api_key("catalog.write")[1]))
    assert (response.status_code, detail(response)) == (403, "This API key lacks the scope act_for_users")


def test_a_key_acts_for_imported_people_and_guests(client: Client) -> None:
    headers = with_key(make_api_key("act_for_users")[1])
    for user in (make_user(is_imported=True), make_guest(), make_user()):
        assert who(client, user.pk, headers).json()["user_id"] == user.pk


def test_nobody_acts_for_those_who_are_gone(client: Client) -> None:
    headers = with_key(make_api_key("act_for_users")[1])
    for gone in (make_user(is_active=False), make_guest(merged_into=make_user())):
        response = who(client, gone.pk, headers)
        assert (response.status_code, detail(response)) == (404, f"There is no user {gone.pk}")


def test_a_page_knows_its_guest(visitor: Client) -> None:
    first = visitor.post("/feedback/", headers=csrf(visitor)).json()
    assert visitor.post("/feedback/", headers=csrf(visitor)).json() == first
    assert visitor.get("/api/v1/who").json()["user_id"] == first["user_id"]


def test_a_page_needs_the_csrf_token_too(visitor: Client) -> None:
    assert visitor.post("/feedback/").status_code == 403
