"""One layer of each kind and a holdout of nobody, each with a salt of this site's own."""

import secrets

from django.db import migrations


def create(apps, schema_editor):
    layers = apps.get_model("experiments", "Layer").objects
    for kind in ("strategy", "recipe"):
        layers.get_or_create(kind=kind, defaults={"salt": secrets.token_hex(8)})
    holdout = apps.get_model("experiments", "Holdout").objects
    holdout.get_or_create(pk=1, defaults={"salt": secrets.token_hex(8)})


class Migration(migrations.Migration):
    dependencies = [("experiments", "0005_experiments")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
