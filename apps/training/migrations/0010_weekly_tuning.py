"""A search for better parameters each week, when nobody fits and few watch."""

from django.db import migrations

from apps.core.schedules import add_weekly, remove

WEEKLY = "training: weekly tuning"
SUNDAY = 0


def forwards(apps, schema_editor):
    add_weekly(apps, WEEKLY, "apps.training.tasks.tune", day=SUNDAY, hour=5, minute=30)


def backwards(apps, schema_editor):
    remove(apps, WEEKLY)


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0009_clean_up_schedule"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
