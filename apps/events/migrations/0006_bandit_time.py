"""The bandit's slates by time: a page on the last week reads no more than that week."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("events", "0005_bandit_version")]
    operations = [
        migrations.AddIndex(
            model_name="slate",
            index=models.Index(
                fields=["bandit_version", "created_at"],
                condition=Q(bandit_version__isnull=False),
                name="slates_bandit_time",
            ),
        ),
        migrations.RemoveIndex(model_name="slate", name="slates_bandit"),
    ]
