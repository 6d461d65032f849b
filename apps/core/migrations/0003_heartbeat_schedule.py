"""Workers say each minute that they are alive."""

from datetime import timedelta

from django.db import migrations

from apps.core.schedules import add_every, remove

NAME = "core: heartbeat"


def forwards(apps, schema_editor):
    add_every(apps, NAME, "apps.core.tasks.heartbeat", every=timedelta(minutes=1))


def backwards(apps, schema_editor):
    remove(apps, NAME)


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_heartbeat"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
