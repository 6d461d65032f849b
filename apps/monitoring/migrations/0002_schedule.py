"""Each night drift is worked out, after the nightly fit."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

DRIFT = "monitoring: nightly drift"


def forwards(apps, schema_editor):
    add_daily(apps, DRIFT, "apps.monitoring.tasks.record_drift", hour=4, minute=30)


def backwards(apps, schema_editor):
    remove(apps, DRIFT)


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0001_drift"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
