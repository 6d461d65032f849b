"""What the importing commands share: help, exit codes, bars, one object of JSON."""

import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import call_command, load_command_class

from apps.catalog.models import Movie
from apps.core.management.base import Refused
from apps.core.models import AuditEntry

COMMANDS = [
    ("ratings", "load_movielens"),
    ("catalog", "load_tmdb"),
    ("catalog", "enrich_tmdb"),
    ("catalog", "load_knowledge_graph"),
]


def make_set(folder: Path) -> Path:
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Toy Story (1995),Comedy\n")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,964982703\n")
    return folder


@pytest.mark.parametrize(("room", "name"), COMMANDS)
def test_help_ends_with_an_example(room: str, name: str) -> None:
    command = load_command_class(f"apps.{room}", name)
    text = command.create_parser("manage.py", name).format_help()
    assert f"Example: manage.py {name}" in text


# A command that ends the process closes its connections, which no transaction of a test survives.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["load_movielens", "/nowhere"],
            1,
            "Refused: There is no folder or file /nowhere; give demo, a folder, a zip or a URL",
        ),
        (["load_movielens"], 2, "the following arguments are required: demo|PATH|URL"),
        (["load_movielens", "x", "--max-mb", "0"], 2, "'0' is not a whole number from 1"),
        (["enrich_tmdb", "--limit", "-1"], 2, "'-1' is not a whole number from 1"),
        (["load_tmdb"], 2, "the following arguments are required: PATH"),
    ],
)
def test_a_refusal_is_exit_code_1_and_a_wrong_call_2(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    room = dict(map(reversed, COMMANDS))[arguments[0]]
    with pytest.raises(SystemExit) as left:
        load_command_class(f"apps.{room}", arguments[0]).run_from_argv(["manage.py", *arguments])
    assert left.value.code == code
    assert said in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.parametrize("is_json", [True, False])
def test_bars_are_for_terminals_and_not_beside_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_json: bool
) -> None:
    screen, out = io.StringIO(), io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    arguments = ["--json"] if is_json else []
    call_command("load_movielens", str(make_set(tmp_path)), "--name", "tiny", *arguments, stdout=out)
    assert ("ratings.csv" in screen.getvalue()) is not is_json
    if is_json:
        assert json.loads(out.getvalue())["ratings"]["new"] == 1
    else:
        assert out.getvalue().startswith("result: new: films 1, people 1, ratings 1\n")


@pytest.mark.django_db
def test_a_refused_line_leaves_nothing_of_the_whole_set(tmp_path: Path) -> None:
    folder = make_set(tmp_path)
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,1,fun,soon\n")
    told = r"^tags\.csv, line 2: expected a timestamp in seconds since 1970, but found 'soon'$"
    with pytest.raises(Refused, match=told):
        call_command("load_movielens", str(folder), "--name", "tiny")
    assert not Movie.objects.exists()


@pytest.mark.django_db
def test_the_audit_says_which_imports_are_complete(tmp_path: Path) -> None:
    folder = make_set(tmp_path)
    for _ in range(2):
        call_command("load_movielens", str(folder), "--name", "tiny", "--json", stdout=io.StringIO())
    entry = AuditEntry.objects.get(action="import")
    assert entry.after == {
        "command": "load_movielens",
        "source": "tiny",
        "result": "new: films 1, people 1, ratings 1",
    }
    assert entry.actor_name == "system"
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,2.0,964982704\n")
    call_command("load_movielens", str(folder), "--name", "tiny", "--json", stdout=io.StringIO())
    assert AuditEntry.objects.filter(action="import").count() == 2
