from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django_celery_beat.models import CrontabSchedule, PeriodicTask, PeriodicTasks

from apps.core.schedules import add_daily, add_every, add_weekly, remove
from recommender_site.celery import app

pytestmark = pytest.mark.django_db

MIGRATIONS = (
    "apps.core.migrations.0003_heartbeat_schedule",
    "apps.training.migrations.0002_schedules",
    "apps.training.migrations.0007_update_schedules",
    "apps.training.migrations.0009_clean_up_schedule",
    "apps.training.migrations.0010_weekly_tuning",
)


@pytest.fixture
def migrated() -> None:
    PeriodicTask.objects.all().delete()
    for name in MIGRATIONS:
        import_module(name).forwards(apps, None)


def test_every_schedule_names_a_task_that_workers_know(migrated: None) -> None:
    app.loader.import_default_modules()
    tasks = dict(PeriodicTask.objects.values_list("name", "task"))
    assert set(tasks) == {
        "core: heartbeat",
        "training: clean-up",
        "training: nightly fit",
        "training: sweep",
        "training: update of all that waits",
        "training: updates that are due",
        "training: weekly tuning",
    }
    assert set(tasks.values()) <= set(app.tasks)


def test_the_nightly_fit_is_at_three_in_the_zone_of_the_site(migrated: None) -> None:
    crontab = PeriodicTask.objects.get(name="training: nightly fit").crontab
    assert crontab is not None
    assert (crontab.hour, crontab.minute, str(crontab.timezone)) == ("3", "0", "UTC")


def test_the_weekly_search_is_on_sundays_and_shares_its_time_with_no_daily_task(migrated: None) -> None:
    add_daily(apps, "daily", "apps.core.tasks.heartbeat", hour=5, minute=30)
    weekly = PeriodicTask.objects.get(name="training: weekly tuning").crontab
    assert weekly is not None
    assert (weekly.day_of_week, weekly.hour, weekly.minute) == ("0", "5", "30")
    assert weekly != PeriodicTask.objects.get(name="daily").crontab


def test_a_second_time_changes_nothing_that_staff_set(migrated: None) -> None:
    nightly = PeriodicTask.objects.get(name="training: nightly fit")
    nightly.crontab = CrontabSchedule.objects.create(hour="5", minute="30")
    nightly.enabled = False
    nightly.save()
    for name in MIGRATIONS:
        import_module(name).forwards(apps, None)
    nightly.refresh_from_db()
    assert (nightly.crontab.hour, nightly.enabled, PeriodicTask.objects.count()) == ("5", False, 7)


def test_goes_back(migrated: None) -> None:
    for name in MIGRATIONS:
        import_module(name).backwards(apps, None)
    assert PeriodicTask.objects.count() == 0


def test_tells_a_running_beat(migrated: None) -> None:
    before = PeriodicTasks.last_change()
    add_every(apps, "new", "apps.core.tasks.heartbeat", every=timedelta(minutes=2))
    added = PeriodicTasks.last_change()
    remove(apps, "new")
    assert before < added < PeriodicTasks.last_change()


def test_shares_equal_times(migrated: None) -> None:
    for name in ("one", "two"):
        add_daily(apps, name, "apps.core.tasks.heartbeat", hour=4)
    assert CrontabSchedule.objects.filter(hour="4", minute="0").count() == 1


def test_shares_equal_days_of_the_week() -> None:
    for name in ("one", "two"):
        add_weekly(apps, name, "apps.core.tasks.heartbeat", day=6, hour=4, minute=15)
    assert CrontabSchedule.objects.filter(hour="4", minute="15", day_of_week="6").count() == 1
