import csv
import io
import json
import zipfile
from collections.abc import Iterator

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts import privacy
from apps.accounts.models import Session, User
from apps.accounts.privacy import DataSource, erase_user, export_user, register_source
from apps.accounts.services import merge_guest
from apps.core.models import AuditEntry
from apps.core.services import record_audit
from tests.factories import make_guest, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(monkeypatch) -> Iterator[list[str]]:
    """Leaves the registry as it was; holds what the sources of a test note."""
    monkeypatch.setattr(privacy, "_sources", dict(privacy._sources))
    return []


def exported(user: User) -> dict[str, str]:
    files = zipfile.ZipFile(io.BytesIO(export_user(user)))
    return {name: files.read(name).decode() for name in files.namelist()}


def noting(name: str, notes: list[str]) -> DataSource:
    return DataSource(
        name,
        export=lambda user: [{"of": user.pk}],
        erase=lambda user: notes.append(f"erase {name} {user.pk}"),
        merge=lambda guest, into: notes.append(f"merge {name} {guest.pk} {into.pk}"),
    )


def test_refuses_a_second_source_of_the_same_name(registry: list[str]) -> None:
    register_source(noting("films", registry))
    with pytest.raises(ImproperlyConfigured, match=r"^There is a data source 'films' already$"):
        register_source(noting("films", registry))


def test_exports_a_json_and_a_csv_file_per_source() -> None:
    files = exported(make_user("ada", email="ada@example.org"))
    names = [source.name for source in privacy.registered_sources()]
    assert sorted(files) == sorted(f"{name}.{kind}" for name in names for kind in ("csv", "json"))
    assert {"profile", "sessions", "tokens", "audit"} <= set(names)
    assert json.loads(files["profile.json"])[0]["email"] == "ada@example.org"
    assert next(csv.DictReader(io.StringIO(files["profile.csv"])))["username"] == "ada"


def test_exports_what_merged_guests_left(registry: list[str]) -> None:
    register_source(noting("films", registry))
    user, guest = make_user(), make_guest()
    merge_guest(guest=guest, into=user)
    assert json.loads(exported(user)["films.json"]) == [{"of": user.pk}, {"of": guest.pk}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_makes_formulas_harmless(registry: list[str], text: str) -> None:
    register_source(DataSource("notes", lambda _: [{"text": text, "stars": -1.5}], lambda _: None))
    row = next(csv.DictReader(io.StringIO(exported(make_user())["notes.csv"], newline="")))
    assert row == {"text": f"'{text}", "stars": "-1.5"}


@given(st.lists(st.fixed_dictionaries({}, optional={"a": st.text(), "b": st.integers(), "c": st.none()})))
def test_no_cell_of_any_text_begins_like_a_formula(rows: list[dict[str, object]]) -> None:
    read = csv.reader(io.StringIO(privacy._csv(rows), newline=""))
    cells = [cell for line in read for cell in line]
    assert not [cell for cell in cells if cell[:1] in set("=+@\t\r\n")]


def test_exports_nested_values_as_json_text(registry: list[str]) -> None:
    register_source(DataSource("notes", lambda _: [{"tags": ["a", 1]}], lambda _: None))
    assert next(csv.DictReader(io.StringIO(exported(make_user())["notes.csv"])))["tags"] == '["a",1]'


def test_erases_from_the_last_source_to_the_first_then_the_row(registry: list[str]) -> None:
    register_source(noting("films", registry))
    register_source(noting("events", registry))
    user = make_user()
    pk = user.pk
    erase_user(user)
    assert registry == [f"erase events {pk}", f"erase films {pk}"]
    assert not User.objects.exists()


def test_erases_merged_guests_with_the_account(registry: list[str]) -> None:
    register_source(noting("films", registry))
    user, guest, other = make_user(), make_guest(), make_guest()
    merge_guest(guest=guest, into=user)
    ids = [guest.pk, user.pk]
    erase_user(user)
    assert registry[1:] == [f"erase films {pk}" for pk in ids]
    assert list(User.objects.all()) == [other]


def test_a_source_that_fails_leaves_everything(registry: list[str]) -> None:
    def fail(user: User) -> None:
        raise RuntimeError("the disk is full")

    register_source(noting("films", registry))
    register_source(DataSource("broken", lambda _: [], fail))
    user = make_staff(permissions=["accounts.view_user"])
    with pytest.raises(RuntimeError):
        erase_user(user)
    assert (User.objects.count(), user.user_permissions.count(), registry) == (1, 1, [])


def test_merges_every_source_that_can(registry: list[str]) -> None:
    register_source(noting("films", registry))
    register_source(DataSource("log", lambda _: [], lambda _: None))
    guest, user = make_guest(), make_user()
    for _ in range(2):
        merge_guest(guest=guest, into=user)
    assert registry == [f"merge films {guest.pk} {user.pk}"]


def test_erases_sessions_and_tokens_of_that_user_only(client: Client) -> None:
    user, other = make_user(), make_user()
    for person in (user, other):
        Client().force_login(person)
        RefreshToken.for_user(person)
    assert len(json.loads(exported(user)["sessions.json"])) == 1
    assert len(json.loads(exported(user)["tokens.json"])) == 1
    erase_user(user)
    assert [session.get_decoded()["_auth_user_id"] for session in Session.objects.all()] == [str(other.pk)]
    assert [token.user for token in OutstandingToken.objects.all()] == [other]


def test_the_audit_keeps_the_act_and_loses_the_name() -> None:
    staff, victim = make_staff(), make_user("victim")
    record_audit("catalog.hide_movie", by=staff, target=victim, reason="a duplicate")
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.log_actions(staff.pk, [victim], CHANGE, single_object=True)
    assert "catalog.hide_movie" in exported(staff)["audit.csv"]
    erase_user(victim, by=staff)
    assert LogEntry.objects.get(content_type=users).object_repr == "an erased user"
    erase_user(staff, by=staff)
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor_id", "actor_name")
    assert list(entries) == [
        ("catalog.hide_movie", None, ""),
        ("accounts.erase_user", None, ""),
        ("accounts.erase_user", None, ""),
    ]


def test_records_an_operators_erasure_as_the_systems() -> None:
    user = make_user()
    pk = user.pk
    erase_user(user)
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.target_type, entry.target_id) == ("system", "accounts.user", str(pk))
