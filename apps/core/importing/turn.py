"""One import at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.core.errors import Conflict

# Any number that no other advisory lock of ours has.
_LOCK = 7_305_211


@contextmanager
def only_import() -> Iterator[None]:
    """Holds the one right to import, of the whole database; ``Conflict`` while another has it.

    An import knows the catalogue by heart and would not see what another adds. The database frees
    the lock when the process dies, however it dies.
    """
    lock = _postgres_lock if connection.vendor == "postgresql" else _sqlite_lock
    with lock():
        yield


def _refusal() -> Conflict:
    return Conflict("Another import is under way: try again when it has ended")


@contextmanager
def _postgres_lock() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise _refusal()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@contextmanager
def _sqlite_lock() -> Iterator[None]:
    """A file beside the database, locked as SQLite locks: the database itself stays open to writers."""
    beside = sqlite3.connect(f"{connection.settings_dict['NAME']}-import", timeout=0, isolation_level=None)
    try:
        try:
            beside.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise _refusal() from None
        yield
    finally:
        beside.close()
