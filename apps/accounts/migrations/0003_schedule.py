"""Sessions that ran out are deleted each night."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

NIGHTLY = "accounts: nightly sessions"


def forwards(apps, schema_editor):
    add_daily(apps, NIGHTLY, "apps.accounts.tasks.clear_expired_sessions", hour=5)


def backwards(apps, schema_editor):
    remove(apps, NIGHTLY)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sessions"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
