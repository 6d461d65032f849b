import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.forms import SCOPES
from apps.accounts.keys import find_api_key
from apps.accounts.models import ApiKey, User
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_api_key, make_guest, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(make_staff(username="boss", is_superuser=True))
    return client


def helper(client: Client, *permissions: str) -> Client:
    client.force_login(make_staff(permissions=[f"accounts.{name}" for name in permissions]))
    return client


def shown_messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- Log-in --------------------------------------------------------------------------------------


def test_the_admins_login_is_throttled_like_every_other(client: Client) -> None:
    make_staff(username="grace")
    for _ in range(5):
        response = client.post("/admin/login/", {"username": "grace", "password": "wrong"})
        assert "The username or the password is wrong" in response.content.decode()
    response = client.post("/admin/login/", {"username": "grace", "password": PASSWORD})
    assert "Too many attempts to log in with this name" in response.content.decode()


def test_staff_log_in_and_viewers_do_not(client: Client) -> None:
    make_staff(username="grace")
    make_user("ada")
    assert client.post("/admin/login/", {"username": "ada", "password": PASSWORD}).status_code == 200
    response = client.post("/admin/login/?next=/admin/", {"username": "grace", "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


# --- Users ---------------------------------------------------------------------------------------


def test_shows_every_page(boss: Client) -> None:
    user, key = make_guest(), make_api_key("catalog.write")[0]
    AuditEntry.objects.create(action="something")
    for name in ("accounts_user", "accounts_apikey", "auth_group", "core_auditentry"):
        assert boss.get(reverse(f"admin:{name}_changelist")).status_code == 200
    for name in ("accounts_user", "accounts_apikey", "auth_group"):
        assert boss.get(reverse(f"admin:{name}_add")).status_code == 200
    assert boss.get(reverse("admin:accounts_user_change", args=[user.pk])).status_code == 200
    assert boss.get(reverse("admin:auth_user_password_change", args=[user.pk])).status_code == 200
    assert boss.get(reverse("admin:accounts_apikey_change", args=[key.pk])).status_code == 200


def test_lists_users_in_the_same_number_of_queries(boss: Client, django_assert_num_queries) -> None:
    url = reverse("admin:accounts_user_changelist")
    boss.get(url)
    for _ in range(2):
        make_user()
        make_guest()
        with django_assert_num_queries(6):
            boss.get(url)


def test_makes_a_user(boss: Client) -> None:
    body = {
        "username": "ada",
        "email": "",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
    }
    boss.post(reverse("admin:accounts_user_add"), body)
    assert User.objects.get(username="ada").check_password(PASSWORD)
    assert AuditEntry.objects.get().action == "accounts.create_user"


@pytest.mark.parametrize(
    ("username", "sentence"),
    [("ADA", "The username &#x27;ADA&#x27; is taken"), ("guest-7", "A username cannot begin with guest-")],
)
def test_refuses_a_username_as_signing_up_does(boss: Client, username: str, sentence: str) -> None:
    make_user("ada")
    body = {"username": username, "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert sentence in boss.post(reverse("admin:accounts_user_add"), body).content.decode()


def test_deleting_erases_and_says_who_did_it(boss: Client) -> None:
    user = make_user("ada")
    url = reverse("admin:accounts_user_delete", args=[user.pk])
    assert "ada, with everything held about this person" in boss.get(url).content.decode()
    boss.post(url, {"post": "yes"})
    assert not User.objects.filter(username="ada").exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name) == ("accounts.erase_user", "boss")


def test_deletes_several_at_once(boss: Client) -> None:
    ids = [make_user().pk, make_guest().pk]
    body = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    boss.post(reverse("admin:accounts_user_changelist"), body)
    assert User.objects.count() == 1


def test_a_helper_gets_no_power_over_colleagues(client: Client) -> None:
    helper(client, "view_user", "change_user", "delete_user")
    colleague = make_staff()
    url = reverse("admin:accounts_user_change", args=[colleague.pk])
    assert client.post(url, {"username": "mine"}).status_code == 403
    assert client.get(reverse("admin:auth_user_password_change", args=[colleague.pk])).status_code == 403
    assert (
        client.post(reverse("admin:accounts_user_delete", args=[colleague.pk]), {"post": "yes"}).status_code
        == 403
    )
    body = {"action": "delete_selected", "_selected_action": [colleague.pk], "post": "yes"}
    client.post(reverse("admin:accounts_user_changelist"), body)
    assert User.objects.filter(pk=colleague.pk).exists()


def test_a_helper_hands_out_no_power(client: Client) -> None:
    helper(client, "view_user", "change_user")
    user = make_user("ada")
    body = {
        "username": "ada",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "timezone": "Asia/Tokyo",
    }
    response = client.post(reverse("admin:accounts_user_change", args=[user.pk]), body)
    user.refresh_from_db()
    assert response.status_code == 302
    assert (user.timezone, user.is_staff, user.is_superuser) == ("Asia/Tokyo", False, False)
    assert AuditEntry.objects.get().after == {"fields": ["timezone"]}


# --- API keys ------------------------------------------------------------------------------------


def test_shows_a_new_key_once(boss: Client) -> None:
    body = {
        "name": "loader",
        "scopes": ["catalog.write", "metrics.read"],
        "expires_at_0": "",
        "expires_at_1": "",
    }
    response = boss.post(reverse("admin:accounts_apikey_add"), body, follow=True)
    text = next(
        re.findall(r"The key is (\S+) and will not be shown again", m)
        for m in shown_messages(response)
        if "The key is" in m
    )[0]
    assert find_api_key(text).scopes == ["catalog.write", "metrics.read"]
    assert text not in boss.get(reverse("admin:accounts_apikey_changelist")).content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["everything"]}, "everything is not one of the available choices"),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00"}, "A key must expire in the future"),
    ],
)
def test_refuses_a_key_that_makes_no_sense(boss: Client, change: dict[str, object], sentence: str) -> None:
    body = {"name": "loader", "scopes": ["catalog.write"], **change}
    response = boss.post(reverse("admin:accounts_apikey_add"), body)
    assert sentence in response.content.decode()
    assert not ApiKey.objects.exists()


def test_revokes_keys_and_says_which_were_revoked_before(boss: Client) -> None:
    keys = [make_api_key("catalog.write", name=name)[0].pk for name in ("one", "two")]
    url = reverse("admin:accounts_apikey_changelist")
    boss.post(url, {"action": "revoke", "_selected_action": keys[:1]})
    response = boss.post(url, {"action": "revoke", "_selected_action": keys}, follow=True)
    assert sorted(shown_messages(response))[-2:] == [
        "The key 'one' is revoked already",
        "The key 'two' is revoked",
    ]


def test_each_scope_says_what_it_opens(boss: Client) -> None:
    page = boss.get(reverse("admin:accounts_apikey_add")).content.decode()
    for scope, says in SCOPES.items():
        assert f"{scope.label} ({scope.value}): {says}" in page
    assert set(SCOPES) == set(ApiKey.Scope)


def test_lists_who_made_a_key_whether_it_is_good_and_when_it_was_used(boss: Client) -> None:
    boss.post(reverse("admin:accounts_apikey_add"), {"name": "loader", "scopes": ["catalog.write"]})
    good, old, gone = (make_api_key("catalog.write", name=name)[0] for name in ("good", "old", "gone"))
    ApiKey.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    ApiKey.objects.filter(pk=gone.pk).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=good.pk).update(last_used_on="2026-03-14")
    url = reverse("admin:accounts_apikey_changelist")
    page = boss.get(url).content.decode()
    for text in ("boss", "expired", "revoked", "14 Mar 2026", "never"):
        assert text in page
    for state, names in {
        "good": {"loader", "good"},
        "expired": {"old"},
        "revoked": {"gone"},
        "unused": {"loader", "old", "gone"},
    }.items():
        found = boss.get(url, {"state": state}).context["cl"].result_list
        assert {key.name for key in found} == names


def test_the_page_of_a_key_revokes_it_and_shows_no_more_than_its_beginning(boss: Client) -> None:
    key, text = make_api_key("catalog.write", name="loader")
    page = boss.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content.decode()
    assert text not in page
    assert key.digest not in page
    assert f'<input type="hidden" name="_selected_action" value="{key.pk}">' in page
    assert 'name="action"' in page
    assert "Revoke this key" in page


def test_never_changes_or_deletes_a_key(boss: Client) -> None:
    key, _ = make_api_key("catalog.write", name="loader")
    boss.post(
        reverse("admin:accounts_apikey_change", args=[key.pk]), {"name": "x", "scopes": ["act_for_users"]}
    )
    assert (
        boss.post(reverse("admin:accounts_apikey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403
    )
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("loader", ["catalog.write"])


def test_only_who_may_change_keys_revokes_them(client: Client) -> None:
    helper(client, "view_apikey")
    key, _ = make_api_key("catalog.write")
    client.post(
        reverse("admin:accounts_apikey_changelist"), {"action": "revoke", "_selected_action": [key.pk]}
    )
    key.refresh_from_db()
    assert key.revoked_at is None


# --- The audit -----------------------------------------------------------------------------------


def test_nobody_writes_the_audit(boss: Client) -> None:
    entry = AuditEntry.objects.create(action="something")
    assert boss.get(reverse("admin:core_auditentry_add")).status_code == 403
    assert (
        boss.post(reverse("admin:core_auditentry_change", args=[entry.pk]), {"action": "x"}).status_code
        == 403
    )
    assert (
        boss.post(reverse("admin:core_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code
        == 403
    )
