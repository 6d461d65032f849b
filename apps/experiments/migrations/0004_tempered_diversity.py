"""The policy that a site starts with takes the default of tempered diversity, where staff have not changed it.

A site that has served lists under version 1 goes on under version 2, so that a version names one strategy.
"""

from django.db import migrations

BEFORE = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.4}
AFTER = {**BEFORE, "diversity": 0.5}


def forward(apps, schema_editor):
    policies = apps.get_model("experiments", "ServingPolicy").objects.filter(pk=1, version=1)
    has_served = apps.get_model("events", "Slate").objects.exists()
    for policy in policies:
        if policy.strategy == BEFORE:
            policies.update(strategy=AFTER, version=2 if has_served else 1)


def backward(apps, schema_editor):
    policies = apps.get_model("experiments", "ServingPolicy").objects.filter(pk=1, version__in=(1, 2))
    for policy in policies:
        if policy.strategy == AFTER:
            policies.update(strategy=BEFORE, version=1)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0003_default_diversity"), ("events", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
