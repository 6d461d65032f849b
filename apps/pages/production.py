"""Production's processes on one machine: web server, worker and beat, on a PostgreSQL and a Redis there."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from psycopg2 import sql
from redis import Redis
from redis.exceptions import RedisError

from apps.core.errors import Unavailable
from recommender_site import env

POSTGRES = "postgres://postgres@127.0.0.1:5432/marquee"
REDIS = "redis://127.0.0.1:6379/0"
CONNECT_SECONDS = 3
START_SECONDS = 60.0
STOP_SECONDS = 25.0
# What PostgreSQL says of a database that there is not.
_NO_DATABASE = "does not exist"


def production_environment(*, host: str, port: int) -> dict[str, str]:
    """The environment of this process with what production needs: PostgreSQL, Redis, a secret key kept in
    ``var/``, and no HTTPS, since the site is for this machine.
    """
    return env.for_child(
        DJANGO_SETTINGS_MODULE="recommender_site.settings.prod",
        SECRET_KEY=env.local_secret_key(),
        ALLOWED_HOSTS=",".join(dict.fromkeys([host, "127.0.0.1", "localhost"])),
        DATABASE_URL=env.text("DATABASE_URL") or POSTGRES,
        REDIS_URL=env.text("REDIS_URL") or REDIS,
        SECURE_SSL_REDIRECT="false",
        SECURE_COOKIES="false",
        LOG_FORMAT=env.choice("LOG_FORMAT", "LINE", choices=("JSON", "LINE")),
        WEB_BIND=f"{host}:{port}",
        PROMETHEUS_MULTIPROC_DIR=env.text("PROMETHEUS_MULTIPROC_DIR") or str(env.VAR_DIR / "metrics"),
    )


def require_postgres(url: str) -> bool:
    """Makes the database if the server lacks it, and returns whether it did. Raises ``Unavailable``."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise Unavailable("DATABASE_URL must name a PostgreSQL: postgres://user:password@host:5432/name")
    try:
        psycopg2.connect(url, connect_timeout=CONNECT_SECONDS).close()
    except psycopg2.OperationalError as error:
        if _NO_DATABASE not in str(error):
            raise Unavailable(_no_answer("PostgreSQL", url, "DATABASE_URL")) from None
        _create_database(url)
        return True
    return False


def require_redis(url: str) -> None:
    patience = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
    try:
        with Redis.from_url(url, **patience) as redis:
            redis.ping()
    except (RedisError, OSError):
        raise Unavailable(_no_answer("Redis", url, "REDIS_URL")) from None


def prepare(environment: Mapping[str, str]) -> None:
    """Checks the settings, migrates, collects static files. Raises ``Unavailable`` when one fails."""
    for step in (
        ("check", "--deploy", "--fail-level", "ERROR"),
        ("migrate", "--no-input", "-v0"),
        ("collectstatic", "--no-input", "-v0"),
    ):
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *step]
        ended = subprocess.run(command, env=dict(environment), stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own
        if ended.returncode:
            raise Unavailable(f"manage.py {step[0]} failed:\n{ended.stderr.strip()}")


@dataclass(frozen=True)
class Process:
    name: str
    child: "subprocess.Popen[bytes]"


@contextmanager
def processes(environment: Mapping[str, str]) -> Iterator[Sequence[Process]]:
    """Web server, worker and beat; ended at the end, by force after 25 seconds.

    Call it in the main thread: it handles SIGINT and SIGTERM.
    """
    celery = ("celery", "-A", "recommender_site", "--quiet")
    commands = {
        "web": ("gunicorn", "-c", "python:recommender_site.web", "recommender_site.wsgi"),
        "worker": (*celery, "worker", "--concurrency", "2"),
        "beat": (*celery, "beat"),
    }
    started: list[Process] = []
    try:
        with _on_signals(_interrupt):
            for name, command in commands.items():
                started.append(Process(name, _start(environment, name, command)))
            yield started
    finally:
        # Whoever is impatient must not leave children behind.
        with _on_signals(signal.SIG_IGN):
            _end(started)


def _start(environment: Mapping[str, str], name: str, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    own = dict(environment)
    if name != "web":
        # The folder is the web server's own, which empties it.
        own.pop("PROMETHEUS_MULTIPROC_DIR", None)
    # A session of its own: Ctrl-C reaches this process alone, which ends them in order.
    return subprocess.Popen(  # noqa: S603 - our own commands
        [sys.executable, "-m", *command], env=own, cwd=settings.BASE_DIR, start_new_session=True
    )


def watch(running: Sequence[Process], *, address: str, when_ready: Callable[[], None]) -> None:
    """Returns on SIGINT and SIGTERM. Raises ``Unavailable`` when a process ends or the site does not
    answer within a minute.
    """
    try:
        _await_site(running, address)
        when_ready()
        while True:
            _require_alive(running)
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass


def _await_site(running: Sequence[Process], address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _require_alive(running)
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=1):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.2)
    raise Unavailable(f"The site does not answer on {address} after {START_SECONDS:g} seconds: see above")


def _require_alive(running: Sequence[Process]) -> None:
    for process in running:
        status = process.child.poll()
        if status is not None:
            raise Unavailable(f"The {process.name} process ended with {status}, so all end: see above")


def _end(started: Sequence[Process]) -> None:
    for process in started:
        process.child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in started:
        try:
            process.child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.child.kill()
            process.child.wait()


def _create_database(url: str) -> None:
    parts = urlsplit(url)
    try:
        server = psycopg2.connect(
            urlunsplit(parts._replace(path="/postgres")), connect_timeout=CONNECT_SECONDS
        )
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(parts.path.lstrip("/"))))
        server.close()
    except psycopg2.Error:
        name = parts.path.lstrip("/")
        raise Unavailable(
            f"There is no database {name}, and this user may not make it: createdb {name}"
        ) from None


def _no_answer(what: str, url: str, variable: str) -> str:
    """Without user and password, which the URL may hold."""
    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port}"
    return f"{what} does not answer on {place}: start it, or name another one in {variable}"


@contextmanager
def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, kept in zip(numbers, before, strict=True):
            signal.signal(number, kept)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
