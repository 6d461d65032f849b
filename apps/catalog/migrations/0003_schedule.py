"""Flags are refreshed each night, half an hour before the nightly fit reads them."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

NIGHTLY = "catalog: nightly flags"


def forwards(apps, schema_editor):
    add_daily(apps, NIGHTLY, "apps.catalog.tasks.refresh_flags", hour=2, minute=30)


def backwards(apps, schema_editor):
    remove(apps, NIGHTLY)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_search_index"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
