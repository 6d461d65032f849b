"""Upkeep of imports: rows too old to undo go each night."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

NAME = "ratings: prune imports"


def forwards(apps, schema_editor):
    add_daily(apps, NAME, "apps.ratings.tasks.prune_imports", hour=4, minute=10)


def backwards(apps, schema_editor):
    remove(apps, NAME)


class Migration(migrations.Migration):
    dependencies = [
        ("ratings", "0002_imports"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
