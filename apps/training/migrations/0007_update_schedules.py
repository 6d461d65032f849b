"""What is due is looked for every five minutes, and all that waits is learned every six hours."""

from datetime import timedelta

from django.db import migrations

from apps.core.schedules import add_every, remove

DUE, ALL = "training: updates that are due", "training: update of all that waits"


def forwards(apps, schema_editor):
    add_every(apps, DUE, "apps.training.tasks.update", every=timedelta(minutes=5))
    add_every(apps, ALL, "apps.training.tasks.update_all", every=timedelta(hours=6))


def backwards(apps, schema_editor):
    remove(apps, DUE)
    remove(apps, ALL)


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0006_updates"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
