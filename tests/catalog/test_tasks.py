from importlib import import_module

import pytest
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from apps.catalog.tasks import refresh_flags
from tests.factories import make_movie

pytestmark = pytest.mark.django_db


def test_the_nightly_task_says_how_many_films_changed() -> None:
    make_movie(genres=["Documentary"])
    assert refresh_flags() == 1
    assert refresh_flags() == 0


def test_flags_are_refreshed_before_the_nightly_fit() -> None:
    import_module("apps.catalog.migrations.0003_schedule").forwards(apps, None)
    task = PeriodicTask.objects.get(task=refresh_flags.name)
    assert (task.crontab.hour, task.crontab.minute) == ("2", "30")
