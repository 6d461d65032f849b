"""The Dockerfile, the compose file and what they name. No container is started."""

import ast
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyOptions, Service
from django.core.management import get_commands
from django.utils import timezone

from apps.core.models import Heartbeat
from apps.core.services import record_heartbeat
from tests.processes import database_url, production

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z_]+)(?::(?P<how>[-?])(?P<what>[^}]*))?\}")
APP = ("migrate", "web", "worker", "beat")


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, comments and line ends taken out."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def values_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == instruction]


def services() -> dict[str, Service]:
    """The compose file as the standard reads it, with a value for every variable that has no default."""
    options = PyOptions()
    options.apply_merge = True
    filled = VARIABLE.sub(lambda found: found["what"] if found["how"] == "-" else "value", COMPOSE)
    specification = options.from_yaml(filled)
    specification.validate()
    return {name: specification.get_service(name) for name in specification.service_names()}


# --- The image -----------------------------------------------------------------------------------


def test_the_dockerfile_has_nothing_to_lint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_images_are_pinned_to_an_exact_version() -> None:
    images = [words.split()[0] for words in values_of("FROM")] + re.findall(r"image: (\S+)", COMPOSE)
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*", image), image
    assert "FROM python:3.11." in DOCKERFILE, "the version that the tests run on"


def test_the_image_runs_as_nobody_and_asks_itself_how_it_is() -> None:
    names = [name for name, _ in instructions()]
    assert values_of("USER") == ["10001"]
    assert names.index("USER") < names.index("HEALTHCHECK") < names.index("CMD")
    assert "collectstatic" in values_of("RUN")[-1]


def test_no_secret_stays_in_the_image() -> None:
    for kept in values_of("ENV") + values_of("ARG") + values_of("LABEL"):
        assert not re.search("SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL", kept), kept


def test_copies_files_that_there_are_and_that_are_sent_to_the_builder() -> None:
    sent = set(re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text()))
    copied = {word for line in values_of("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)


def test_sends_nothing_else_to_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in {"#", ""}]
    assert lines[0] == "*"
    assert not [line for line in lines if re.match(r"!\.|!var|!tests", line)]


def test_collects_static_files_with_the_values_of_the_image() -> None:
    *given, python, script, command = shlex.split(values_of("RUN")[-1])[:-2]
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    made_up = dict(pair.split("=", 1) for pair in given)
    ran = subprocess.run(
        [sys.executable, script, command, "--no-input", "--dry-run", "-v0"],
        env={**kept, **made_up, "DJANGO_SETTINGS_MODULE": "recommender_site.settings.prod"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (python, ran.returncode) == ("python", 0), ran.stderr


def test_starts_a_module_that_there_is() -> None:
    (command,) = values_of("CMD")
    program, _, settings_module, application = ast.literal_eval(command)
    assert find_spec(program)
    assert find_spec(settings_module.removeprefix("python:"))
    assert find_spec(application)


# --- The compose file ----------------------------------------------------------------------------


def test_the_compose_file_is_what_the_standard_says() -> None:
    assert set(services()) == {"db", "redis", *APP}


def test_nothing_has_a_password_before_somebody_chooses_one() -> None:
    for found in VARIABLE.finditer(COMPOSE):
        if re.search("SECRET|PASSWORD|KEY|HOSTS", found["name"]):
            assert found["how"] == "?", f"{found[0]}: must not start without"
    assert not re.findall(r"(?:PASSWORD|AUTH|SECRET_KEY)\w*: (?!\$\{)\S", COMPOSE)


def test_every_container_is_closed_and_has_a_health_of_its_own() -> None:
    for name, service in services().items():
        assert service.read_only, name
        assert "no-new-privileges:true" in (service.security_opt or ()), name
        assert service.healthcheck is not None or name == "web", name
        if name in APP:
            assert service.cap_drop == {"ALL"}, name


def test_nothing_starts_before_what_it_needs() -> None:
    waits = {
        name: {needed: str(how.condition.value) for needed, how in (service.depends_on or {}).items()}
        for name, service in services().items()
    }
    after_migrate = {"migrate": "service_completed_successfully", "redis": "service_healthy"}
    assert waits == {
        "db": {},
        "redis": {},
        "migrate": {"db": "service_healthy"},
        **dict.fromkeys(("web", "worker", "beat"), after_migrate),
    }


def test_only_the_web_server_is_reached_and_only_from_this_machine() -> None:
    ports = {name: service.ports for name, service in services().items() if service.ports}
    assert ports == {"web": {"127.0.0.1:8000:8000"}}


def test_sets_no_variable_that_the_site_does_not_read() -> None:
    from tests.test_project import env_calls

    known = {*env_calls(), "DJANGO_SETTINGS_MODULE", "OPENBLAS_NUM_THREADS"}
    for name in APP:
        assert set(services()[name].environment or {}) <= known, name
    image = {pair.split("=")[0] for line in values_of("ENV") for pair in line.split()}
    of_others = {"PATH", "HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert {name for name in image if not name.startswith("PIP_")} <= known | of_others


def test_runs_commands_that_there_are() -> None:
    commands = set(re.findall(r"manage\.py (\w+)", COMPOSE + DOCKERFILE))
    assert commands == {"check", "migrate", "collectstatic"} & set(get_commands())


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_starts_celery_by_options_that_it_has(name: str) -> None:
    command = [sys.executable, "-m", *(services()[name].command or []), "--help"]
    ran = subprocess.run(command, env=production(), cwd=ROOT, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


# --- Health --------------------------------------------------------------------------------------


class _Site(BaseHTTPRequestHandler):
    """Answers as Django does: to its own name alone."""

    def do_GET(self) -> None:
        known = self.headers["Host"] == "marquee.example" and self.path == "/healthz"
        self.send_response(200 if known else 400)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health(of: str, **values: str) -> int:
    command = [sys.executable, str(ROOT / "docker/healthcheck.py"), of]
    return subprocess.run(command, env={**os.environ, **values}, capture_output=True, check=False).returncode


@pytest.mark.parametrize("hosts", ["marquee.example", ".marquee.example,other.example"])
def test_the_web_server_is_asked_by_a_name_of_its_own(site: int, hosts: str) -> None:
    assert health("web", WEB_BIND=f"0.0.0.0:{site}", ALLOWED_HOSTS=hosts) == 0
    assert health("web", WEB_BIND=f"0.0.0.0:{site}", ALLOWED_HOSTS="unknown.example") == 1
    assert health("web", WEB_BIND="0.0.0.0:1", ALLOWED_HOSTS=hosts) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_beat_is_healthy_while_it_gives_signs_of_life() -> None:
    assert health("beat", DATABASE_URL=database_url()) == 1
    record_heartbeat("beat")
    assert health("beat", DATABASE_URL=database_url()) == 0
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=4))
    assert health("beat", DATABASE_URL=database_url()) == 1
    assert health("beat", DATABASE_URL="postgres://nobody@127.0.0.1:1/none") == 1
