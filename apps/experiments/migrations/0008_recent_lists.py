from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0007_schedules")]

    operations = [
        migrations.AddField(model_name="rollup", name="recent", field=models.JSONField(default=dict)),
    ]
