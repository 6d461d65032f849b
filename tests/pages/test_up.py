"""``manage.py up``: production's processes as one would start them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis

from apps.pages import demo
from apps.pages.production import require_postgres
from tests.core.conftest import redis_database
from tests.house import House
from tests.pages.test_demo import free_port
from tests.processes import Program, database_url, running, wait_until

__all__ = ["redis_database"]

NOTHING = 1  # a port where nobody listens


def of_one_person(**values: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "LOG_FORMAT"}}
    return kept | {"DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev", **values}


def refused(environment: dict[str, str], *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(free_port()), *arguments],
        env=environment,
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr.strip()


def test_refuses_without_redis() -> None:
    environment = of_one_person(REDIS_URL=f"redis://:Qsecret@127.0.0.1:{NOTHING}/0")
    assert refused(environment) == (
        "Refused: Redis does not answer on 127.0.0.1:1: start it, or name another one in REDIS_URL"
    )


@pytest.mark.redis
def test_refuses_without_postgres() -> None:
    environment = of_one_person(
        REDIS_URL="redis://127.0.0.1:6379/0",
        DATABASE_URL=f"postgres://ada:Qsecret@127.0.0.1:{NOTHING}/marquee",
    )
    assert refused(environment) == (
        "Refused: PostgreSQL does not answer on 127.0.0.1:1: start it, or name another one in DATABASE_URL"
    )


@pytest.mark.redis
def test_refuses_a_database_for_one_process() -> None:
    environment = of_one_person(REDIS_URL="redis://127.0.0.1:6379/0", DATABASE_URL="sqlite:///x.sqlite3")
    assert refused(environment) == (
        "Refused: DATABASE_URL must name a PostgreSQL: postgres://user:password@host:5432/name"
    )


def test_refuses_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(of_one_person(), "--port", str(port)).startswith(
            f"Refused: Cannot listen on 127.0.0.1:{port} (Address already in use)"
        )


@pytest.mark.postgres
def test_makes_the_database_that_the_server_lacks(db: None) -> None:
    url = database_url() + "_made_by_up"
    name = url.rpartition("/")[2]
    try:
        assert (require_postgres(url), require_postgres(url)) == (True, False)
    finally:
        subprocess.run(["dropdb", "--if-exists", "--maintenance-db", database_url(), name], check=True)


@pytest.mark.postgres
def test_so_does_the_demo(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    url = database_url() + "_made_by_demo"
    monkeypatch.setenv("DATABASE_URL", url)
    try:
        demo.migrate()
        assert not require_postgres(url)
    finally:
        name = url.rpartition("/")[2]
        subprocess.run(["dropdb", "--if-exists", "--maintenance-db", database_url(), name], check=True)


def test_make_up_is_this_command() -> None:
    said = subprocess.run(
        ["make", "-n", "up", "ARGS=--port 9000"], cwd=django_settings.BASE_DIR, capture_output=True
    )
    assert b"exec .venv/bin/python manage.py up --port 9000" in said.stdout


# --- Started -------------------------------------------------------------------------------------


def answer(address: str, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as response:  # noqa: S310 - our own address
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def descendants(pid: int) -> set[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    children = {int(word) for word in listed.stdout.split()}
    return children.union(*(descendants(child) for child in children))


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def program(transactional_db: None, house: House, redis_database: Redis, settings: Any) -> Iterator[Program]:
    environment = of_one_person(
        DATABASE_URL=database_url(),
        REDIS_URL=f"redis://127.0.0.1:6379/{redis_database.connection_pool.connection_kwargs['db']}",
        ARTIFACT_DIR=str(settings.ARTIFACT_DIR),
        PROMETHEUS_MULTIPROC_DIR=str(settings.ARTIFACT_DIR / "metrics"),
        LOG_FORMAT="JSON",
    )
    with running(environment, "manage", "up", "--port", str(free_port())) as program:
        yield program
        if program.process.poll() is None:
            program.process.terminate()
            program.process.wait(60)


@pytest.mark.postgres
@pytest.mark.redis
def test_serves_with_worker_and_beat_until_it_is_ended_and_leaves_nobody_behind(program: Program) -> None:
    served = re.compile(r"^Serving on (http://127\.0\.0\.1:\d+)/ until Ctrl-C", re.MULTILINE)
    wait_until(lambda: served.search(program.said()), "a site that serves", seconds=120)
    address = served.findall(program.said())[0]

    def is_ok() -> bool:
        return json.loads(answer(address, "/readyz")[1])["status"] == "ok"

    wait_until(is_ok, "every part ok")
    status, body = answer(address, "/readyz")
    assert (status, {check["status"] for check in json.loads(body)["checks"].values()}) == (200, {"ok"})
    page = answer(address, "/")[1].decode()
    style = re.findall(r'href="(/static/css/marquee\.[0-9a-f]{12}\.css)"', page)
    assert [answer(address, path)[0] for path in style] == [200]
    children = descendants(program.process.pid)
    assert len(children) >= 6  # gunicorn and its two processes, the worker and its two, beat
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(60) == 0
    assert [pid for pid in children if is_alive(pid)] == []
