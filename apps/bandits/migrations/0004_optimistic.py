"""Versions that began before go on as they drew; those to come draw optimistically."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bandits", "0003_arm_recipes")]

    operations = [
        migrations.AddField("banditpolicy", "optimistic", models.BooleanField(default=False)),
        migrations.AlterField("banditpolicy", "optimistic", models.BooleanField(default=True)),
    ]
