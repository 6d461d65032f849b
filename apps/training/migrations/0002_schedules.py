"""A full fit each night, and each minute a look for requested fits whose message was lost."""

from datetime import timedelta

from django.db import migrations

from apps.core.schedules import add_daily, add_every, remove

NIGHTLY = "training: nightly fit"
SWEEP = "training: sweep"


def forwards(apps, schema_editor):
    add_daily(apps, NIGHTLY, "apps.training.tasks.retrain", hour=3)
    add_every(apps, SWEEP, "apps.training.tasks.sweep", every=timedelta(minutes=1))


def backwards(apps, schema_editor):
    remove(apps, NIGHTLY)
    remove(apps, SWEEP)


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
