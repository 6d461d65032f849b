"""Whether the database has every migration."""

from functools import cache

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def is_migrated() -> bool:
    """Whether every migration has run. Looked up until it has, then known."""
    try:
        return _found_migrated()
    except _NotMigrated:
        return False


def forget_migrated() -> None:
    """The next question looks again: for tests."""
    _found_migrated.cache_clear()


class _NotMigrated(Exception):
    """Raised so that only the good answer is kept."""


@cache
def _found_migrated() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise _NotMigrated
    return True
