"""``manage.py demo`` and ``manage.py serve``, in processes of their own on a database of their own."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import execute_from_command_line

from apps.accounts.models import User
from apps.core.importing.history import note_import
from apps.pages import demo
from apps.pages.management.commands.demo import Command
from tests.factories import make_rating, make_user
from tests.tiny_movielens import write_tiny_movielens

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
PATIENCE_SECONDS = 60
DATABASE = "demo.sqlite3"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A fresh machine."""
    return environment_in(tmp_path)


def environment_in(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.dev",
        "DATABASE_URL": f"sqlite:///{folder / DATABASE}",
        "ARTIFACT_DIR": str(folder / "models"),
        "SECRET_KEY": "made-up-for-this-test",
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_tiny_movielens(tmp_path)


def run(environment: Mapping[str, str], *arguments: str) -> dict[str, object]:
    command = [*MANAGE, *arguments, "--json"]
    ended = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return dict(json.loads(ended.stdout))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    command = [*MANAGE, "migrate", "-v0"]
    subprocess.run(command, env=environment_in(folder), timeout=PATIENCE_SECONDS, check=True)
    return folder / DATABASE


@pytest.fixture
def migrated(environment: dict[str, str], tables: Path, tmp_path: Path) -> dict[str, str]:
    shutil.copy(tables, tmp_path / DATABASE)
    return environment


def test_prepares_what_is_missing_once(migrated: dict[str, str], data: Path) -> None:
    run(migrated, "load_movielens", str(data))
    first = run(migrated, "demo", "--no-serve")
    assert (first["loaded"], first["trained"]) == (False, True)
    assert sorted(first["passwords"]) == ["admin", "staff", "viewer"]
    second = run(migrated, "demo", "--no-serve")
    assert second == {"migrated": False, "loaded": False, "trained": False, "passwords": {}}


@pytest.mark.django_db
def test_a_load_that_was_cut_off_goes_on() -> None:
    make_rating(make_user(is_imported=True))
    assert not demo.has_data()
    note_import(command="load_movielens", source="demo", result="new: films 9066")
    assert demo.has_data()


def test_trains_the_recipe_that_serves_and_that_once(migrated: dict[str, str], data: Path) -> None:
    run(migrated, "load_movielens", str(data))
    with closing(sqlite3.connect(migrated["DATABASE_URL"].removeprefix("sqlite:///"))) as database, database:
        database.execute(
            "INSERT INTO recipes (name, parameters, description, held_because, held_by, created_at)"
            " VALUES ('wide', '{}', '', '', '', '2026-01-01')"
        )
        database.execute("UPDATE serving_policy SET recipe = 'wide'")
    assert run(migrated, "demo", "--no-serve")["trained"]
    with closing(sqlite3.connect(migrated["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        trained = "SELECT r.name FROM model_versions v JOIN recipes r ON r.id = v.recipe_id"
        assert database.execute(trained).fetchall() == [("wide",)]
    assert not run(migrated, "demo", "--no-serve")["trained"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> dict[str, object]:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 - our own
                return dict(json.load(answer))
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers; the server says: {server.communicate()[1].decode()}")


@pytest.fixture
def server(migrated: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    process = subprocess.Popen(
        [*MANAGE, "serve", "--port", str(port)], env=migrated, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    yield process, port
    process.kill()
    process.wait()


def test_serves_until_it_is_told_to_stop(server: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = server
    assert wait_for(f"http://127.0.0.1:{port}", process)["status"] == "degraded"
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors.decode()
    assert output.decode().startswith(f"Serving on http://127.0.0.1:{port}/")


def test_refuses_a_taken_port_before_it_does_anything(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*MANAGE, "demo", "--port", str(port)], env=environment, capture_output=True, check=False
        )
    assert ended.returncode == 1
    where = f"127.0.0.1:{port} (Address already in use)"
    refusal = f"Refused: Cannot listen on {where}: choose another port with --port"
    assert ended.stderr.decode().strip() == refusal


@pytest.mark.parametrize("command", ["demo", "serve", "up"])
@pytest.mark.parametrize("port", ["99999", "0", "-1", "http", "1" * 5000])
def test_refuses_what_is_no_port(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", command, f"--port={port}"])
    assert ended.value.code == 2
    assert f"argument --port: {port!r} is no port: give a number from 1 to 65535" in capsys.readouterr().err


def test_a_lost_password_is_set_by_the_interpreter_that_runs_the_site(db: None) -> None:
    demo.ensure_accounts()
    said = StringIO()
    command = Command(stdout=said)
    command.quiet = False
    command._say_accounts({})
    (line,) = [line.strip() for line in said.getvalue().splitlines() if "changepassword" in line]
    program, *arguments = line.split()
    assert arguments == ["manage.py", "changepassword", "admin"]
    assert os.path.samefile(program, sys.executable)


def test_refuses_to_serve_without_tables(environment: dict[str, str]) -> None:
    command = [*MANAGE, "serve", "--port", str(free_port())]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.decode().strip() == (
        "Refused: The database lacks migrations: run manage.py migrate, or manage.py demo"
    )


def test_makes_the_three_accounts_with_their_rights(db: None) -> None:
    passwords = demo.ensure_accounts()
    people = {name: User.objects.get(username=name) for name in passwords}
    assert all(people[name].check_password(password) for name, password in passwords.items())
    assert [person.is_staff for person in people.values()] == [False, True, True]
    assert people["staff"].has_perms(["events.view_slate", "experiments.change_servingpolicy"])
    assert people["staff"].has_perms([f"experiments.{act}_experiment" for act in ("add", "start", "ship")])
    assert not people["staff"].has_perm("accounts.change_user")
    assert people["admin"].is_superuser


def test_leaves_accounts_and_rights_alone_the_second_time(db: None) -> None:
    first = demo.ensure_accounts()
    Group.objects.get(name="Staff").permissions.clear()
    User.objects.get(username="viewer").delete()
    assert list(demo.ensure_accounts()) == ["viewer"]
    assert User.objects.get(username="admin").check_password(first["admin"])
    assert not Group.objects.get(name="Staff").permissions.exists()
