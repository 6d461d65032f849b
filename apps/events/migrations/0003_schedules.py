"""Upkeep of the log: counts by film and day every five minutes, silence closed every hour."""

from datetime import timedelta

from django.db import migrations

from apps.core.schedules import add_every, remove

COUNTS = "events: counts by film and day"
EXPIRY = "events: close unanswered impressions"


def forwards(apps, schema_editor):
    add_every(apps, COUNTS, "apps.events.tasks.roll_up_movie_days", every=timedelta(minutes=5))
    add_every(apps, EXPIRY, "apps.events.tasks.expire_pending", every=timedelta(hours=1))


def backwards(apps, schema_editor):
    remove(apps, COUNTS)
    remove(apps, EXPIRY)


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_time_index"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
