"""Schedules as rows, for migrations: made once, and staff's own changes are never overwritten.

The name of each begins with the room that it came with: ``training: sweep``.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.conf import settings
from django.utils import timezone


def add_every(apps: Apps, name: str, task: str, *, every: timedelta) -> None:
    """Runs ``task`` each ``every``, whole seconds, unless there is a schedule of that name."""
    table = apps.get_model("django_celery_beat", "IntervalSchedule")
    values = {"every": int(every.total_seconds()), "period": "seconds"}
    interval = table.objects.filter(**values).first() or table.objects.create(**values)
    # A worker that was away catches up with one run and not with all it missed.
    _add(apps, name, task, {"interval": interval, "expire_seconds": values["every"]})


def add_daily(apps: Apps, name: str, task: str, *, hour: int, minute: int = 0) -> None:
    """Runs ``task`` each day at that time of the site's zone, unless there is a schedule of that name."""
    _add_at(apps, name, task, {"hour": str(hour), "minute": str(minute), "day_of_week": "*"})


def add_weekly(apps: Apps, name: str, task: str, *, day: int, hour: int, minute: int = 0) -> None:
    """As ``add_daily``, on one day of the week: 0 is Sunday, 6 Saturday."""
    _add_at(apps, name, task, {"hour": str(hour), "minute": str(minute), "day_of_week": str(day)})


def remove(apps: Apps, name: str) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=name).delete()
    _tell_beat(apps)


def is_own(name: str) -> bool:
    """Whether a schedule of that name came with a migration: it begins with a room."""
    room, colon, _ = name.partition(": ")
    return bool(colon) and any(
        config.label == room for config in installed.get_app_configs() if config.name.startswith("apps.")
    )


def _add_at(apps: Apps, name: str, task: str, when: Mapping[str, str]) -> None:
    table = apps.get_model("django_celery_beat", "CrontabSchedule")
    values = {**when, "day_of_month": "*", "month_of_year": "*", "timezone": settings.TIME_ZONE}
    crontab = table.objects.filter(**values).first() or table.objects.create(**values)
    _add(apps, name, task, {"crontab": crontab})


def _add(apps: Apps, name: str, task: str, values: Mapping[str, Any]) -> None:
    table = apps.get_model("django_celery_beat", "PeriodicTask")
    table.objects.get_or_create(name=name, defaults={"task": task, **values})
    _tell_beat(apps)


def _tell_beat(apps: Apps) -> None:
    # The model does this itself on saving, but not as migrations know it.
    changes = apps.get_model("django_celery_beat", "PeriodicTasks")
    changes.objects.update_or_create(ident=1, defaults={"last_update": timezone.now()})
