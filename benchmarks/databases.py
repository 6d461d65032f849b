"""A database of a benchmark's own, and the environment of processes on it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def own_database(kind: str, name: str, *, server: str, settings: str) -> Iterator[dict[str, str]]:
    """The environment of a process on a new database, which is dropped at the end with its artifacts.

    ``kind`` is ``sqlite``, a file in a temporary folder, or ``postgresql``, where the database is ``name`` of
    ``server``, a URL without a database. ``settings`` is a module.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/{name}.sqlite3"
        if kind == "postgresql":
            _ask(server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
            url = f"{server}/{name}"
        try:
            yield os.environ | {
                "DATABASE_URL": url,
                "ARTIFACT_DIR": f"{folder}/artifacts",
                "VECTOR_DIR": "",
                "DJANGO_SETTINGS_MODULE": settings,
                "OPENBLAS_NUM_THREADS": "1",
                "LOG_LEVEL": "ERROR",
                "REDIS_URL": "",
                "CELERY_BROKER_URL": "memory://",
            }
        finally:
            if kind == "postgresql":
                _ask(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def load_demo(own: Mapping[str, str]) -> dict[str, str]:
    """The environment of our programs on a new database (``own_database``), the demo's ratings in it."""
    return load_source(own, "demo")


def load_source(own: Mapping[str, str], source: str) -> dict[str, str]:
    """``load_demo`` with any source that ``load_movielens`` takes."""
    environment = {**own, "PYTHONPATH": str(ROOT)}
    run_program(environment, "manage.py", "migrate", "-v0")
    run_program(environment, "manage.py", "load_movielens", source, "--json")
    return environment


def run_program(environment: Mapping[str, str], *words: str) -> None:
    """The interpreter with ``words``, silent. Raises ``CalledProcessError``."""
    command = [sys.executable, *words]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _ask(server: str, *statements: str) -> None:
    import psycopg2

    parts = urlsplit(server)
    connection = psycopg2.connect(
        host=parts.hostname, port=parts.port, user=parts.username, password=parts.password, dbname="postgres"
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()
