"""Processes of their own at work on the database of a test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import connection

PATIENCE_SECONDS = 30

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


def production(**values: str) -> dict[str, str]:
    """The environment of a process with production settings on the database of the test."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.prod",
        "SECRET_KEY": "made-up-" * 8,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "DATABASE_URL": database_url(),
        **values,
    }


@dataclass(frozen=True)
class Program:
    """A process that leads a group of its own, and the file that it writes to."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL for it and for all its children, so that nobody is left to tidy up."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(environment: Mapping[str, str], *command: str) -> Iterator[Program]:
    """``python -m command``, killed at the end; what it said is in the error when the block fails."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=environment,
                cwd=settings.BASE_DIR,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        program = Program(process, log)
        try:
            yield program
        except BaseException as error:
            error.add_note(f"{command[0]} said:\n{program.said()}")
            raise
        finally:
            program.kill()


def wait_until(condition: Callable[[], object], what: str, *, seconds: int = PATIENCE_SECONDS) -> None:
    """Raises ``AssertionError`` with ``what`` did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.02)


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
