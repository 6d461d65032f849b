"""Requests made up from the OpenAPI document, sent to a running server by callers of three kinds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer
from rest_framework_simplejwt.tokens import AccessToken

from apps.accounts.models import ApiKey, User
from apps.catalog.models import Movie
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.undoing import undo_import
from tests.factories import make_api_key, make_import, make_staff, make_user
from tests.house import make_house

pytestmark = [pytest.mark.fuzz, pytest.mark.django_db(transaction=True)]

# Cases that hypothesis draws for each operation, besides the fixed ones at the edges of its schema.
DRAWN_CASES = os.environ.get("FUZZ_CASES", "35")
# Of all roles together, with FUZZ_CASES left alone.
WANTED_CASES = 10_000
# Each ends the viewer or the credential, and every later case would be refused as nobody's.
ENDS_THE_VIEWER = ("DELETE /api/v1/me", "POST /api/v1/auth/password/change")
# What every answer must keep, whatever was asked.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


def viewer() -> str:
    return token_of(make_user())


def staff() -> str:
    return token_of(make_staff(is_superuser=True))


def program() -> str:
    return f"Api-Key {make_api_key(*ApiKey.Scope.values)[1]}"


def token_of(user: User) -> str:
    """The token of somebody who has imports to look at, apply and undo, under the first ids there are."""
    undone, applied, looked_at = Movie.objects.order_by("pk")[:3]
    for film in (undone, applied):
        last = apply_import(user=user, import_id=make_import(user, film).pk, rule="newer")
        if film == undone:
            undo_import(user=user, import_id=last.pk)
    make_import(user, looked_at)
    return f"Bearer {AccessToken.for_user(user)}"


def fuzz(server: LiveServer, report: Path, *, authorization: str) -> dict[str, Any]:
    """Schemathesis' report of a run in the name of ``authorization``; what it prints goes to the terminal."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/schema"]
    command += ["--header", f"Authorization:{authorization}", "--no-color", "--seed", "1"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", DRAWN_CASES]
    command += ["--checks", ",".join(CHECKS), "--continue-on-failure", "--generation-database", "none"]
    command += ["--report", "json", "--report-json-path", str(report)]
    for name in ENDS_THE_VIEWER:
        command += ["--exclude-name", name]
    subprocess.run(command, check=False)
    loaded: dict[str, Any] = json.loads(report.read_text())
    return loaded


@pytest.mark.parametrize("role", [viewer, staff, program])
def test_every_answer_is_one_that_the_document_promises(
    role: Any,
    live_server: LiveServer,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES, "1000000/m")
    caplog.set_level("ERROR", logger="django.request")
    make_house()
    report = fuzz(live_server, tmp_path / "report.json", authorization=role())
    assert report["failures"] == report["errors"] == []
    assert report["complete"]
    assert report["exit_code"] == 0
    if "FUZZ_CASES" not in os.environ:
        assert report["test_cases"]["generated"] >= WANTED_CASES / 3
    assert report["warnings"]["rate_limited"] == []
    if role is staff:  # to the others a few endpoints are closed, as the permission matrix says
        assert report["warnings"]["missing_auth"] == []
