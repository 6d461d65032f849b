"""Tables without services of their own: each act of staff leaves an entry."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_staff, make_user

pytestmark = pytest.mark.django_db


def act(client: Client, page: str, *keys: object, **form: object) -> None:
    answer = client.post(reverse(f"admin:{page}", args=keys), form)
    assert answer.status_code == 302, answer.context["errors"]


def entries() -> list[tuple[str, dict, dict]]:
    rows = AuditEntry.objects.order_by("id").values_list("action", "before", "after")
    return [tuple(row) for row in rows]


def test_a_group_is_made_changed_and_deleted_with_its_permissions_named(admin_client: Client) -> None:
    permission = Permission.objects.get(content_type__app_label="catalog", codename="change_movie")
    act(admin_client, "auth_group_add", name="editors", permissions=[])
    group = Group.objects.get()
    act(admin_client, "auth_group_change", group.pk, name="editors", permissions=[permission.pk])
    act(admin_client, "auth_group_delete", group.pk, post="yes")
    made, changed, deleted = entries()
    assert made == ("auth.create_group", {}, {"name": "editors"})
    assert changed == ("auth.update_group", {"permissions": []}, {"permissions": [str(permission)]})
    assert deleted == ("auth.delete_group", {"id": group.pk, "name": "editors"}, {})


def test_several_rows_deleted_at_once_leave_an_entry_each(admin_client: Client) -> None:
    rows = [IntervalSchedule.objects.create(every=every, period="hours") for every in (7, 8)]
    form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    act(admin_client, "django_celery_beat_intervalschedule_changelist", **form)
    assert [before["every"] for action, before, _ in entries()] == [7, 8]


def test_a_time_of_the_clock_is_audited(admin_client: Client) -> None:
    none = {f"periodictask_set-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    form = none | {"minute": "5", "hour": "4", "day_of_month": "*", "month_of_year": "*", "day_of_week": "*"}
    act(admin_client, "django_celery_beat_crontabschedule_add", timezone="UTC", **form)
    assert CrontabSchedule.objects.filter(minute="5", hour="4").exists()
    ((action, _, after),) = entries()
    assert (action, after["hour"]) == ("django_celery_beat.create_crontabschedule", "4")


@pytest.mark.parametrize(
    ("action", "enabled"), [("disable_tasks", False), ("enable_tasks", True), ("toggle_tasks", False)]
)
def test_switching_a_task_is_audited(admin_client: Client, action: str, enabled: bool) -> None:
    every = IntervalSchedule.objects.create(every=7, period="hours")
    task = PeriodicTask.objects.create(name="a report", task="a.task", interval=every)
    form = {"action": action, "_selected_action": [task.pk]}
    act(admin_client, "django_celery_beat_periodictask_changelist", **form)
    task.refresh_from_db()
    assert task.enabled is enabled
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after, entry.target_id) == (
        f"core.{action}",
        {"name": "a report"},
        str(task.pk),
    )


def test_a_password_set_by_staff_is_audited_without_it(admin_client: Client) -> None:
    user = make_user("ada")
    form = {
        "password1": "another-Odd-phrase-7",
        "password2": "another-Odd-phrase-7",
        "usable_password": "true",
    }
    act(admin_client, "auth_user_password_change", user.pk, **form)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id, entry.before, entry.after) == (
        "accounts.set_password",
        str(user.pk),
        {},
        {},
    )


def test_a_password_that_was_refused_leaves_no_entry(admin_client: Client) -> None:
    form = {"password1": PASSWORD, "password2": "another", "usable_password": "true"}
    answer = admin_client.post(reverse("admin:auth_user_password_change", args=[make_user().pk]), form)
    assert answer.status_code == 200
    assert not AuditEntry.objects.exists()


def test_power_that_was_handed_out_is_named(admin_client: Client) -> None:
    user, group = make_user("ada"), Group.objects.create(name="editors")
    form = {"username": "ada", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    act(admin_client, "accounts_user_change", user.pk, **form)
    assert AuditEntry.objects.get().after == {
        "fields": ["is_staff", "groups"],
        "is_staff": True,
        "groups": ["editors"],
    }


def test_no_page_of_a_person_shows_a_hash(admin_client: Client) -> None:
    user = make_staff(username="grace")
    page = admin_client.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    assert user.password not in page
    assert "md5" not in page
    link = reverse("admin:auth_user_password_change", args=[user.pk])
    assert f'href="{link}"' in page
