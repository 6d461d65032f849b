"""The lock of training: on PostgreSQL the database frees it the moment that its holder dies.

The row of a run is the lock that counts, on every database. This one says sooner that its process is gone.
Behind a pool that shares connections between transactions it may look free while it is held, so it alone
condemns no run.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.core.errors import Conflict

_KEYS = (0x4D61, 0x7271)
_HELD = """
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


class AlreadyRunning(Conflict):
    """Another process is training, or a run shows signs of life."""


@contextmanager
def held_lock() -> Iterator[None]:
    """Holds the lock on this thread's connection. Raises ``AlreadyRunning`` where another process does."""
    if not _ask("SELECT pg_try_advisory_lock(%s, %s)", otherwise=True):
        raise AlreadyRunning("Another process is training: one run at a time; start again when it has ended.")
    try:
        yield
    finally:
        # A connection that is gone has let go of it.
        if connection.connection is not None and connection.is_usable():
            _ask("SELECT pg_advisory_unlock(%s, %s)", otherwise=True)


def is_lock_free() -> bool:
    """Whether nobody holds it; False on a database that has no such lock, where it says nothing."""
    return not _ask(_HELD, otherwise=True)


def _ask(statement: str, *, otherwise: bool) -> bool:
    if connection.vendor != "postgresql":
        return otherwise
    with connection.cursor() as cursor:
        cursor.execute(statement, _KEYS)
        row = cursor.fetchone()
    return bool(row and row[0])
