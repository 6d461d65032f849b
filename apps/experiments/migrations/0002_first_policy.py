"""The policy that a site starts with, so that staff have a row to look at and to change."""

from django.db import migrations

STRATEGY = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.0}


def create(apps, schema_editor):
    apps.get_model("experiments", "ServingPolicy").objects.get_or_create(
        pk=1, defaults={"strategy": STRATEGY, "recipe": "standard"}
    )


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
