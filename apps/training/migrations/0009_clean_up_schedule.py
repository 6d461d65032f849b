"""Old files go each night, an hour after the fit."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

CLEAN_UP = "training: clean-up"


def forwards(apps, schema_editor):
    add_daily(apps, CLEAN_UP, "apps.training.tasks.clean", hour=4)


def backwards(apps, schema_editor):
    remove(apps, CLEAN_UP)


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0008_progress"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
