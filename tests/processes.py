"""Processes of their own at work on the database of a test."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import connection

# Each waits for the others, so that they run beside each other however long one takes to start.
_BEGIN = """
import json, os, sys, time
from pathlib import Path
import django
django.setup()
from django.conf import settings
order, artifacts, meeting, n = json.loads(sys.argv[1])
settings.ARTIFACT_DIR = Path(artifacts)
Path(meeting, str(os.getpid())).touch()
deadline = time.monotonic() + 60
while len(os.listdir(meeting)) < n:
    assert time.monotonic() < deadline, "the others did not come"
    time.sleep(0.002)
"""


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**values)


def run_at_once(code: str, orders: Sequence[Any]) -> list[str]:
    """Runs ``code`` in one process for each of ``orders``, which it finds as ``order``; what each printed.

    Raises ``AssertionError`` with what a process wrote to stderr, be it a warning.
    """
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.test",
        "DATABASE_URL": database_url(),
        "LOG_LEVEL": "WARNING",
    }
    # Nothing is collected before tests: the finders serve the files.
    command = [sys.executable, "-W", "ignore:No directory at:UserWarning", "-c", _BEGIN + code]
    with TemporaryDirectory() as meeting:
        running = [
            subprocess.Popen(
                [*command, json.dumps([order, str(settings.ARTIFACT_DIR), meeting, len(orders)])],
                env=environment,
                cwd=settings.BASE_DIR,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for order in orders
        ]
        ended = [process.communicate(timeout=120) for process in running]
    for process, (_, errors) in zip(running, ended, strict=True):
        assert (process.returncode, errors) == (0, ""), errors
    return [printed for printed, _ in ended]
