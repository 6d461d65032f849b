"""Every minute the log is counted for the experiments, and every ten what runs is looked at."""

from datetime import timedelta

from django.db import migrations

from apps.core.schedules import add_every, remove

ROLLUP = "experiments: count the log"
WATCH = "experiments: watch what runs"


def forwards(apps, schema_editor):
    add_every(apps, ROLLUP, "apps.experiments.tasks.roll_up", every=timedelta(minutes=1))
    add_every(apps, WATCH, "apps.experiments.tasks.watch", every=timedelta(minutes=10))


def backwards(apps, schema_editor):
    remove(apps, ROLLUP)
    remove(apps, WATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0006_layers"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
