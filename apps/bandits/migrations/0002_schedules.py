"""Each night counts are compared with the log, and weights kept within what a float holds."""

from django.db import migrations

from apps.core.schedules import add_daily, remove

CHECK = "bandits: nightly check of the counts"
RENEWAL = "bandits: nightly renewal of landmarks"


def forwards(apps, schema_editor):
    add_daily(apps, CHECK, "apps.bandits.tasks.check_bandits", hour=4, minute=15)
    add_daily(apps, RENEWAL, "apps.bandits.tasks.renew_landmarks", hour=4, minute=45)


def backwards(apps, schema_editor):
    remove(apps, CHECK)
    remove(apps, RENEWAL)


class Migration(migrations.Migration):
    dependencies = [
        ("bandits", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
