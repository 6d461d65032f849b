import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.accounts.models import User
from tests.factories import make_guest, make_user

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object, **options: object) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_exports_a_user_by_name_into_a_file(tmp_path: Path) -> None:
    user, file = make_user("ada"), tmp_path / "ada.zip"
    answer = json.loads(run("export_user", "ADA", "--to", file, "--json"))
    assert answer == {"user_id": user.pk, "file": str(file), "bytes": file.stat().st_size}
    assert "profile.csv" in zipfile.ZipFile(file).namelist()


@pytest.mark.django_db
def test_exports_a_user_by_id_as_lines_of_text(tmp_path: Path) -> None:
    user, file = make_guest(), tmp_path / "guest.zip"
    lines = run("export_user", user.pk, "--to", file).splitlines()
    assert lines == [f"user id: {user.pk}", f"file: {file}", f"bytes: {file.stat().st_size}"]


@pytest.mark.django_db
def test_names_the_file_after_the_user(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    user = make_user()
    run("export_user", user.pk)
    assert (tmp_path / f"marquee-user-{user.pk}.zip").exists()


@pytest.mark.django_db
def test_refuses_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "no" / "such.zip"
    with pytest.raises(CommandError, match=rf"^{file} cannot be written: No such file or directory$"):
        run("export_user", make_user().pk, "--to", file)


@pytest.mark.django_db
def test_a_name_of_digits_wins_over_an_id() -> None:
    by_id = make_user()
    by_name = make_user(str(by_id.pk))
    assert json.loads(run("erase_user", by_name.username, "--json")) == {
        "user_id": by_name.pk,
        "erased": True,
    }
    assert list(User.objects.all()) == [by_id]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "0", "-1", "999999999999999999999", "١"])
def test_refuses_a_user_who_is_not_there(name: str) -> None:
    for command in ("erase_user", "export_user"):
        with pytest.raises(CommandError) as refusal:
            run(command, "--", name)
        assert (str(refusal.value), refusal.value.returncode) == (f"There is no user {name!r}", 1)


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "is_left"), [("no", True), ("yes", False)])
def test_asks_on_a_terminal(monkeypatch, answer: str, is_left: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    user = make_user("ada")
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    monkeypatch.setattr("builtins.input", lambda prompt: sys.stdin.readline().strip())
    if is_left:
        with pytest.raises(CommandError, match=r"^Nothing was erased$"):
            run("erase_user", "ada")
    else:
        run("erase_user", "ada")
    assert User.objects.filter(pk=user.pk).exists() is is_left


def test_exits_with_2_when_called_wrongly() -> None:
    command = [sys.executable, "manage.py", "export_user"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the following arguments are required: user" in done.stderr
