import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from apps.core.errors import Conflict
from apps.core.management.base import MarqueeCommand


class Command(MarqueeCommand):
    """Counts, with a bar."""

    requires_system_checks = []

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("count", type=int)

    def execute_command(self, *, count: int, **options: Any) -> Mapping[str, object]:
        if count < 0:
            raise Conflict("There is nothing to count")
        return {"counted_films": sum(1 for _ in self.progress(range(count), count, "films")), "tags": ["a"]}


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(Command(), *arguments, stdout=out)
    return out.getvalue()


def exit_of(capsys, *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        Command().run_from_argv(["manage.py", "count", *arguments])
    return left.value.code, capsys.readouterr().err


def test_prints_lines_of_text() -> None:
    assert run("3") == 'counted films: 3\ntags: ["a"]\n'


def test_prints_one_json_object() -> None:
    assert json.loads(run("3", "--json")) == {"counted_films": 3, "tags": ["a"]}


def test_an_interruption_is_one_line_and_exit_code_1(capsys, monkeypatch) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Mapping[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Command, "execute_command", interrupted)
    line = "Refused: Interrupted; what was not finished was undone, and can be run again\n"
    assert exit_of(capsys, "3") == (1, line)


def test_a_refusal_is_one_line_and_exit_code_1(capsys) -> None:
    assert exit_of(capsys, "--", "-1") == (1, "Refused: There is nothing to count\n")
    with pytest.raises(CommandError, match=r"^There is nothing to count$"):
        run("--", "-1")


def refusal_of_training(database: str) -> str:
    """The last line of a command that reads the database of that URL, in a process of its own."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "train", "--json"]
    environment = {**os.environ, "DATABASE_URL": database, "SECRET_KEY": "made-up-for-this-test"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr.strip().splitlines()[-1]


def test_a_database_without_tables_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    said = refusal_of_training(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert said == "Refused: The database lacks tables: run manage.py migrate, then this again"


def test_a_database_that_does_not_answer_is_one_line_and_exit_code_1() -> None:
    said = refusal_of_training("postgres://nobody@127.0.0.1:1/marquee")
    assert said.startswith("Refused: The database that DATABASE_URL names does not answer: ")


@pytest.mark.parametrize("arguments", [(), ("x",), ("1", "2")])
def test_a_wrong_call_is_exit_code_2(capsys, arguments: tuple[str, ...]) -> None:
    code, text = exit_of(capsys, *arguments)
    assert code == 2
    assert "usage:" in text


@pytest.mark.parametrize(
    ("is_terminal", "arguments", "is_shown"),
    [(True, ("3",), True), (True, ("3", "--json"), False), (False, ("3",), False)],
)
def test_shows_progress_on_a_terminal_only(
    monkeypatch, is_terminal: bool, arguments: tuple[str, ...], is_shown: bool
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    run(*arguments)
    assert ("films" in screen.getvalue()) is is_shown


def test_a_command_must_say_what_it_does() -> None:
    class Idle(MarqueeCommand):
        """Says nothing."""

    with pytest.raises(TypeError, match="execute_command"):
        Idle()
