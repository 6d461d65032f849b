"""The site's own schedules in the admin: moved and switched off, never deleted. Others as staff like."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db.migrations.loader import MigrationLoader
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from apps.core.schedules import is_own

pytestmark = pytest.mark.django_db

NIGHTLY = "training: nightly fit"
TABLE = "admin:django_celery_beat_periodictask"


def own_task(name: str = NIGHTLY) -> PeriodicTask:
    """As its migration made it, whatever another test left."""
    import_module("apps.training.migrations.0002_schedules").forwards(apps, None)
    return PeriodicTask.objects.select_related("crontab", "interval").get(name=name)


def custom_task() -> PeriodicTask:
    every = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.HOURS)
    return PeriodicTask.objects.create(name="a report", task="apps.core.tasks.heartbeat", interval=every)


def page(row: Any, view: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk])


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def delete_selected(client: Client, *rows: Any) -> HttpResponse:
    name = f"admin:{rows[0]._meta.app_label}_{rows[0]._meta.model_name}_changelist"
    form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(reverse(name), form)


def test_what_every_migration_schedules_is_the_sites_own() -> None:
    PeriodicTask.objects.all().delete()
    for migration in MigrationLoader(None).disk_migrations.values():
        module = import_module(migration.__module__)
        if hasattr(module, "add_every") or hasattr(module, "add_daily"):
            module.forwards(apps, None)
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert {NIGHTLY, "training: sweep", "core: heartbeat", "catalog: nightly flags"} < names
    assert {name for name in names if not is_own(name)} == set()
    assert not any(map(is_own, ["a report", "report: weekly", "core", "corex: a", "django_celery_beat: a"]))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_task_of_the_site_is_not_deleted(admin_client: Client, method: str) -> None:
    nightly = own_task()
    response = getattr(admin_client, method)(page(nightly, "delete"), {"post": "yes"})
    assert response.headers["Location"] == page(nightly, "change")
    assert said(response) == [f"Part of the site, to be switched off rather than deleted: {NIGHTLY}."]
    assert PeriodicTask.objects.filter(pk=nightly.pk).exists()


def test_one_task_of_the_site_among_others_keeps_them_all(admin_client: Client) -> None:
    tasks = [custom_task(), own_task(), own_task("training: sweep")]
    response = delete_selected(admin_client, *tasks)
    sentence = f"Part of the site, to be switched off rather than deleted: {NIGHTLY}, training: sweep."
    assert said(response) == [sentence]
    assert PeriodicTask.objects.filter(pk__in=[task.pk for task in tasks]).count() == 3


@pytest.mark.parametrize(("name", "column"), [(NIGHTLY, "crontab"), ("training: sweep", "interval")])
def test_the_time_of_a_task_of_the_site_is_not_deleted(admin_client: Client, name: str, column: str) -> None:
    task = own_task(name)
    time = getattr(task, column)
    answers = [admin_client.post(page(time, "delete"), {"post": "yes"}), delete_selected(admin_client, time)]
    for sentence in said(answers[1]):
        assert sentence.startswith("Give the site's own tasks another time before you delete this: ")
        assert name in sentence
    assert len(said(answers[1])) == len(answers)
    assert PeriodicTask.objects.filter(pk=task.pk).exists()


def test_a_task_of_the_site_is_moved_and_switched_off(admin_client: Client) -> None:
    nightly, later = own_task(), CrontabSchedule.objects.create(hour="5", minute="30")
    form = {"crontab": later.pk, "interval": "", "name": "mine", "task": "os.system", "description": "x"}
    response = admin_client.post(page(nightly, "change"), form)
    assert response.status_code == 302
    moved = PeriodicTask.objects.get(pk=nightly.pk)
    assert (moved.crontab, moved.enabled) == (later, False)
    assert (moved.name, moved.task, moved.description) == (NIGHTLY, "apps.training.tasks.retrain", "")


def test_a_task_of_the_site_keeps_some_time(admin_client: Client) -> None:
    response = admin_client.post(page(own_task(), "change"), {"enabled": "on", "crontab": "", "interval": ""})
    assert "One of clocked, interval, crontab, or solar must be set." in response.content.decode()
    assert own_task().crontab is not None


def test_staffs_own_tasks_are_made_changed_and_deleted(admin_client: Client) -> None:
    every = IntervalSchedule.objects.create(every=9, period=IntervalSchedule.HOURS)
    form = {"name": "weekly", "task": "apps.core.tasks.heartbeat", "interval": every.pk, "args": "[]"}
    form |= {"kwargs": "{}", "headers": "{}", "enabled": "on"}
    assert admin_client.post(reverse(f"{TABLE}_add"), form).status_code == 302
    task = PeriodicTask.objects.get(name="weekly")
    admin_client.post(page(task, "change"), form | {"name": "monthly"})
    task.refresh_from_db()
    assert (task.name, task.interval) == ("monthly", every)
    admin_client.post(page(task, "delete"), {"post": "yes"})
    custom = custom_task()
    delete_selected(admin_client, custom)
    admin_client.post(page(custom.interval, "delete"), {"post": "yes"})
    assert not PeriodicTask.objects.filter(pk__in=[task.pk, custom.pk]).exists()
    assert not IntervalSchedule.objects.filter(pk=custom.interval.pk).exists()


def test_a_name_of_the_site_is_not_taken(admin_client: Client) -> None:
    task = custom_task()
    form = {"name": "core: mine", "task": "a.task", "interval": task.interval.pk}
    form |= {"args": "[]", "kwargs": "{}", "headers": "{}"}
    for address in (reverse(f"{TABLE}_add"), page(task, "change")):
        text = admin_client.post(address, form).content.decode()
        assert "Names that begin with “core: ” are kept for the site&#x27;s own tasks." in text


def test_times_that_nothing_here_uses_have_no_table() -> None:
    assert not {SolarSchedule, ClockedSchedule} & set(admin.site._registry)


@pytest.mark.parametrize("field", ["args", "kwargs", "headers"])
def test_arguments_that_no_parser_reads_are_refused_at_their_field(admin_client: Client, field: str) -> None:
    task = custom_task()
    form = {"name": "a report", "task": task.task, "interval": task.interval_id, "args": "[]", "kwargs": "{}"}
    answer = admin_client.post(page(task, "change"), form | {"headers": "{}", field: "[" * 50_000})
    (sentence,) = answer.context["adminform"].form.errors[field]
    assert sentence.startswith("This text is not JSON that can be read: depth limit exceeded")
