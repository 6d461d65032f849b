"""What the tests of faults share: processes on the test's rows, who asks meanwhile, and what is left."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Movie
from apps.ratings.services import record_preference
from apps.training import registry
from apps.training.corpus import corpus_folder
from apps.training.models import ModelVersion, TrainingRun
from apps.training.services.runs import MISSED_BEATS, STALE_AFTER
from tests.factories import make_user
from tests.processes import database_url, running, wait_until

PAUSING = "tests.training.pausing_settings"
NOBODY = "redis://127.0.0.1:1/0"


def own_environment(**values: str) -> dict[str, str]:
    """Of a process that sees this test's rows and files and takes its signatures."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev",
        "DATABASE_URL": database_url(),
        "ARTIFACT_DIR": str(settings.ARTIFACT_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        **values,
    }


@contextmanager
def started(*command: str, **values: str) -> Iterator["subprocess.Popen[str]"]:
    """``python command`` in that environment, killed at the end; what it says can be read."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env=own_environment(**values),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def served(**values: str) -> Iterator[str]:
    """The address of a web server in processes of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = ("recommender_site.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4")
    with running(own_environment(WEB_PROCESS="true", **values), "gunicorn", *words):
        wait_until(lambda: _is_open(port), "the server listens")
        yield f"http://127.0.0.1:{port}"


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Visitor:
    """Somebody who asks for the home page again and again: of ``url``, else in a thread of this process."""

    def __init__(self, url: str = "") -> None:
        self.failed: list[str] = []
        self.n_asked = 0
        self._ask: Callable[[], None] = lambda: _open(url) if url else _get()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def _ask_on(self) -> None:
        while not self._ended.wait(0.05):
            try:
                self._ask()
            except Exception as error:  # noqa: BLE001 - whatever it is, the request failed
                self.failed.append(f"{type(error).__name__}: {error}")
            self.n_asked += 1
        connection.close()

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            wait_until(lambda: self.n_asked, "an answer")
        self._ended.set()
        self._thread.join()


def _open(url: str) -> None:
    with urlopen(Request(f"{url}/"), timeout=20) as answer:  # noqa: S310 - our own address
        answer.read()


def send(url: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a POST."""
    asked = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})  # noqa: S310
    with urlopen(asked, timeout=20) as answer:  # noqa: S310 - our own address
        return answer.status, json.load(answer)


def _get() -> None:
    answer = Client().get("/")
    assert answer.status_code == 200, answer.status_code


def rate(movie: Movie, value: float = 5.0) -> None:
    """By somebody new."""
    record_preference(user_id=make_user().pk, movie_id=movie.pk, kind="rate", value=value, at=timezone.now())


def kept() -> tuple[list[str], list[str]]:
    """What is on the disk: of models, and of what they were fitted on."""
    folders = (Path(settings.ARTIFACT_DIR), corpus_folder())
    models, corpora = (sorted(os.listdir(folder)) if folder.exists() else [] for folder in folders)
    return models, corpora


def assert_serves(version: ModelVersion) -> None:
    """That it alone is live, and that a process which begins now reads it and answers."""
    assert ModelVersion.objects.get(status="live") == version
    registry.reset()
    current = registry.engine()
    assert current is not None
    assert current.version == version.name
    _get()


def let_go_silent(run: TrainingRun) -> None:
    """As if the time had passed after which a run that gives no sign is given up."""
    patience = MISSED_BEATS if connection.vendor == "postgresql" else STALE_AFTER
    silent_since = timezone.now() - patience - timedelta(seconds=1)
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=silent_since)
