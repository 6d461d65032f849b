"""The audit in the admin: found by who, what and when, read field by field, taken along as CSV."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.privacy import erase_user
from apps.core.audit import Change, changes_of
from apps.core.models import AuditEntry
from apps.core.services import record_audit
from tests.factories import make_movie, make_staff

pytestmark = pytest.mark.django_db
LIST = "/admin/core/auditentry/"


def listed(client: Client, **filters: object) -> list[str]:
    return [entry.action for entry in client.get(LIST, filters).context["cl"].result_list]


def exported(client: Client, **filters: object) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}export/", filters)
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def entry_at(day: int, **values: object) -> AuditEntry:
    entry = record_audit(str(values.pop("action", "a.b")), by=None, **values)
    AuditEntry.objects.filter(pk=entry.pk).update(at=datetime(2026, 3, day, 12, tzinfo=UTC))
    return entry


def two_people() -> tuple[User, User]:
    ada, grace = make_staff(username="ada"), make_staff(username="grace")
    record_audit("films.hide", by=ada, reason="A duplicate")
    record_audit("films.show", by=grace)
    record_audit("nightly", by=None)
    return ada, grace


def test_the_audit_is_filtered_by_who(admin_client: Client) -> None:
    ada, grace = two_people()
    assert listed(admin_client, actor_id=ada.pk) == ["films.hide"]
    assert listed(admin_client, actor_id=grace.pk) == ["films.show"]
    assert listed(admin_client, actor_id=0) == ["nightly"]
    assert len(listed(admin_client, actor_id="x")) == 3


def test_the_audit_is_filtered_by_what_was_done_and_to_what(admin_client: Client) -> None:
    record_audit("films.hide", by=None, target=make_movie())
    record_audit("policy.change", by=None)
    assert listed(admin_client, action="policy.change") == ["policy.change"]
    assert listed(admin_client, action="films.hide", target_type="catalog.movie") == ["films.hide"]


def test_the_audit_is_filtered_by_days_both_included(admin_client: Client) -> None:
    for day in (1, 2, 3):
        entry_at(day, action=f"day.{day}")
    assert listed(admin_client, at_from="2026-03-02", at_to="2026-03-03") == ["day.3", "day.2"]
    assert listed(admin_client, at_to="2026-03-01") == ["day.1"]
    assert len(listed(admin_client, at_from="no day", at_to="9999-12-31")) == 3


def test_the_audit_is_searched_by_reason(admin_client: Client) -> None:
    two_people()
    assert listed(admin_client, q="duplicate") == ["films.hide"]


def test_an_entry_shows_before_and_after_field_by_field(admin_client: Client) -> None:
    before = {"title": "Heet", "strategy": {"arms": {"svd": 1.0}}}
    after = {"title": "<b>Heat</b>", "strategy": {"arms": {"als": 1.0}}, "genres": ["Crime"]}
    entry = record_audit("catalog.update_movie", by=None, target=make_movie(), before=before, after=after)
    assert changes_of(entry) == [
        Change("title", "Heet", "<b>Heat</b>"),
        Change("strategy.arms.svd", "1.0", None),
        Change("strategy.arms.als", None, "1.0"),
        Change("genres", None, '["Crime"]'),
    ]
    page = admin_client.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "<del>Heet</del>" in page
    assert "<ins>&lt;b&gt;Heat&lt;/b&gt;</ins>" in page


def test_an_entry_leads_to_the_row_that_it_is_about(admin_client: Client) -> None:
    movie = make_movie()
    record_audit("a.b", by=None, target=movie)
    record_audit("gone", by=None)
    AuditEntry.objects.filter(action="gone").update(target_type="no.model", target_id="7")
    page = admin_client.get(LIST).content.decode()
    assert f'href="{reverse("admin:catalog_movie_change", args=[movie.pk])}"' in page
    assert "no.model 7" in page


def test_the_download_holds_what_is_listed_and_no_formula(admin_client: Client) -> None:
    record_audit("films.hide", by=None, reason="=HYPERLINK()", before={"is_available": True})
    record_audit("films.show", by=None)
    (row,) = exported(admin_client, action="films.hide")
    assert row["reason"] == "'=HYPERLINK()"
    assert row["before"] == '{"is_available":true}'
    assert [row["action"] for row in exported(admin_client)][:2] == ["films.show", "films.hide"]
    page = admin_client.get(LIST, {"action": "films.hide"}).content.decode()
    assert 'href="/admin/core/auditentry/export/?action=films.hide"' in page


def test_a_download_by_a_filter_that_is_none_leads_back_to_the_list(admin_client: Client) -> None:
    answer = admin_client.get(f"{LIST}export/", {"nonsense__exact": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)


def test_the_name_of_an_erased_colleague_is_gone_and_what_they_did_stays(admin_client: Client) -> None:
    ada, _ = two_people()
    erase_user(ada)
    page = admin_client.get(LIST, {"action": "films.hide"}).content.decode()
    assert "an erased person" in page
    assert ">ada<" not in page


def test_an_empty_audit_says_what_fills_it(admin_client: Client) -> None:
    AuditEntry.objects.all().delete()
    page = admin_client.get(LIST).content.decode()
    assert "The first act of a member of staff, of a program or of an operator makes an entry." in page
    assert (
        "No audit entries match the search and the filters."
        in admin_client.get(LIST, {"q": "nothing"}).content.decode()
    )
