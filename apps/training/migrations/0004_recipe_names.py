from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("training", "0003_one_run_at_a_time")]

    operations = [
        migrations.AddConstraint(
            model_name="recipe",
            constraint=models.UniqueConstraint(
                Lower("name"),
                name="recipes_one_a_name_in_any_case",
                violation_error_message="There is a recipe of this name, perhaps in other capitals.",
            ),
        ),
    ]
