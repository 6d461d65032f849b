"""Requests made up from the OpenAPI document, sent to a running server."""

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

from tests.factories import make_user

pytestmark = [pytest.mark.fuzz, pytest.mark.django_db(transaction=True)]

# Cases that hypothesis draws for each operation, besides the fixed ones at the edges of its schema.
DRAWN_CASES = os.environ.get("FUZZ_CASES", "5")
# Each ends the viewer or the credential, and every later case would be refused as nobody's.
ENDS_THE_VIEWER = ("DELETE /api/v1/me", "POST /api/v1/auth/password/change")


def fuzz(server: LiveServer, report: Path, *, authorization: str) -> dict[str, Any]:
    """Schemathesis' report of a run in the name of ``authorization``; what it prints goes to the terminal."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/schema"]
    command += ["--header", f"Authorization:{authorization}", "--no-color", "--seed", "1"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", DRAWN_CASES]
    command += ["--checks", "not_a_server_error", "--generation-database", "none"]
    command += ["--report", "json", "--report-json-path", str(report)]
    for name in ENDS_THE_VIEWER:
        command += ["--exclude-name", name]
    subprocess.run(command, check=False)
    loaded: dict[str, Any] = json.loads(report.read_text())
    return loaded


def test_answers_no_request_of_a_viewer_with_a_server_error(
    live_server: LiveServer, settings: LazySettings, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES, "1000000/m")
    caplog.set_level("ERROR", logger="django.request")
    token = AccessToken.for_user(make_user())
    report = fuzz(live_server, tmp_path / "report.json", authorization=f"Bearer {token}")
    assert report["failures"] == report["errors"] == []
    assert report["complete"]
    assert report["exit_code"] == 0
    assert report["test_cases"]["generated"] >= 200
    assert report["warnings"]["missing_auth"] == report["warnings"]["rate_limited"] == []
