"""An index on the time of an impression: a few pages of BRIN on PostgreSQL, a btree elsewhere."""

from django.db import migrations

TABLES = ("recommendation_events", "feedback")


def create(apps, schema_editor):
    method = "USING brin (created_at)" if schema_editor.connection.vendor == "postgresql" else "(created_at)"
    for table in TABLES:
        column = "created_at" if table == "recommendation_events" else "received_at"
        schema_editor.execute(f"CREATE INDEX {table}_time ON {table} {method.replace('created_at', column)}")


def drop(apps, schema_editor):
    for table in TABLES:
        schema_editor.execute(f"DROP INDEX {table}_time")


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
