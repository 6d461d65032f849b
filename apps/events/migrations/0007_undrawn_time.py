"""Lists that a bandit left alone by time: a page counts those of a week without reading the rest."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("events", "0006_bandit_time")]
    operations = [
        migrations.AddIndex(
            model_name="slate",
            index=models.Index(
                fields=["created_at"],
                condition=Q(strategy="bandit", bandit_version__isnull=True),
                name="slates_undrawn_time",
            ),
        ),
    ]
