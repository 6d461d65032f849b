"""Where the admin's log-in leads."""

import pytest
from django.test import Client

from apps.events.models import Slate
from tests.factories import PASSWORD, make_staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("", "/admin/"),
        ("?next=", "/admin/"),
        ("?next=/", "/admin/"),
        ("?next=https://elsewhere.example/admin/", "/admin/"),
        ("?next=/admin/accounts/user/", "/admin/accounts/user/"),
    ],
)
def test_the_admins_login_leads_into_the_admin(client: Client, asked: str, place: str) -> None:
    make_staff(username="grace")
    page = f"/admin/login/{asked}"
    assert 'id="login-form"' in client.get(page).content.decode()
    answer = client.post(page, {"username": "grace", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, place)
    assert client.get(page).headers["Location"] == "/admin/", "who is logged in already"
    assert client.get("/admin/").status_code == 200
    assert not Slate.objects.exists()
