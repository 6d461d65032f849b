"""The policy that a site starts with takes the default diversity, where staff have not changed it."""

from django.db import migrations

BEFORE = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.0}
AFTER = {**BEFORE, "diversity": 0.4}


def _replace(old, new):
    def run(apps, schema_editor):
        policies = apps.get_model("experiments", "ServingPolicy").objects.filter(pk=1, version=1)
        for policy in policies:
            if policy.strategy == old:
                policies.update(strategy=new)

    return run


class Migration(migrations.Migration):
    dependencies = [("experiments", "0002_first_policy")]
    operations = [migrations.RunPython(_replace(BEFORE, AFTER), _replace(AFTER, BEFORE))]
