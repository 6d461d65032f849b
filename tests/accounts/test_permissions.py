import pytest
from django.test import Client

from tests.accounts.conftest import bearer, csrf, detail, with_key
from tests.factories import make_api_key, make_staff, make_user

pytestmark = pytest.mark.django_db


def test_an_endpoint_that_states_no_permission_serves_nobody(client: Client) -> None:
    response = client.get("/api/v1/unstated", headers=bearer(make_staff(is_superuser=True)))
    assert (response.status_code, detail(response)) == (
        403,
        "This address states no permission, so nobody may use it",
    )
    assert client.get("/api/v1/unstated").status_code == 401


def test_viewers_are_accounts_and_programs_that_act_for_users(client: Client) -> None:
    assert client.get("/api/v1/viewers", headers=bearer(make_user())).status_code == 200
    assert (
        client.get("/api/v1/viewers", headers=with_key(make_api_key("act_for_users")[1])).status_code == 200
    )


def test_viewers_are_not_strangers_guests_and_other_programs(visitor: Client) -> None:
    response = visitor.get("/api/v1/viewers")
    assert (response.status_code, detail(response)) == (401, "Authentication credentials were not provided.")
    visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor))
    response = visitor.get("/api/v1/viewers")
    assert (response.status_code, detail(response)) == (403, "This needs an account: sign up or log in")
    response = visitor.get("/api/v1/viewers", headers=with_key(make_api_key("catalog.write")[1]))
    assert (response.status_code, detail(response)) == (403, "This API key lacks the scope act_for_users")


def test_staff_with_the_permission_pass(client: Client) -> None:
    keeper = make_staff(permissions=["catalog.change_movie"])
    assert client.get("/api/v1/keepers", headers=bearer(keeper)).status_code == 200


@pytest.mark.parametrize("is_staff", [True, False])
def test_neither_staff_alone_nor_the_permission_alone_is_enough(client: Client, is_staff: bool) -> None:
    permissions = [] if is_staff else ["catalog.change_movie"]
    user = make_staff(permissions=permissions)
    type(user).objects.filter(pk=user.pk).update(is_staff=is_staff)
    response = client.get("/api/v1/keepers", headers=bearer(user))
    assert (response.status_code, detail(response)) == (
        403,
        "This needs a member of staff with the permission catalog.change_movie",
    )


def test_an_account_endpoint_refuses_guests_and_programs(visitor: Client) -> None:
    visitor.post("/api/v1/who", {}, "application/json", headers=csrf(visitor))
    body = {"current_password": "a", "new_password": "b"}
    for headers in (csrf(visitor), with_key(make_api_key("act_for_users")[1])):
        response = visitor.post("/api/v1/auth/password/change", body, "application/json", headers=headers)
        assert (response.status_code, detail(response)) == (403, "This needs an account: sign up or log in")
