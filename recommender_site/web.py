"""Gunicorn's settings: ``gunicorn -c python:recommender_site.web recommender_site.wsgi``."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from recommender_site import env
from recommender_site.logs import logging_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.prod")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# This process answers requests: it never waits for a broker that hangs.
os.environ.setdefault("WEB_PROCESS", "true")

METRICS_DIR = env.folder("PROMETHEUS_MULTIPROC_DIR")

bind = [env.text("WEB_BIND", "127.0.0.1:8000")]
worker_class = "gthread"
workers = env.integer("WEB_WORKERS", 2, minimum=1, maximum=256)
threads = env.integer("WEB_THREADS", 4, minimum=1, maximum=256)
timeout = 60
graceful_timeout = 20
# The workers' sign of life is a file: one in memory, since a disk may be busy or read-only.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn's own advice
control_socket_disable = True
# The application writes a line for each request; the access log would add addresses and queries.
accesslog = None
logconfig_dict = logging_settings(
    env.choice("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")),
    env.choice("LOG_FORMAT", "JSON", choices=("JSON", "LINE")),
)


def on_starting(server: Any) -> None:
    """Refuses settings that are unsafe, and forgets the counters of the processes before."""
    # In a process of its own: what this one imports, workers would never load anew.
    check = [sys.executable, str(env.BASE_DIR / "manage.py"), "check", "--deploy", "--fail-level", "ERROR"]
    found = subprocess.run(check, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if found.returncode:
        sys.stderr.write(found.stderr)
        raise SystemExit("The site does not start with these settings.")
    if METRICS_DIR is not None:
        for file in METRICS_DIR.glob("*.db"):
            file.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """A process that ended keeps its counts, and is no process any more."""
    if METRICS_DIR is not None:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call] # its own
