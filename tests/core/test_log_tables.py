"""Tables that grow with every request are never counted, sorted or searched whole."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.admin import LogAdmin, logs
from apps.events.models import Feedback, RecommendationEvent, Slate
from tests.factories import make_movie, make_user
from tests.rows import NOW, make_impression, make_row, make_slate

pytestmark = pytest.mark.django_db

LOGS = sorted(
    (model for model, table in admin.site._registry.items() if isinstance(table, LogAdmin)), key=str
)
EACH_LOG = pytest.mark.parametrize("model", LOGS, ids=lambda model: model._meta.label)
IMPRESSIONS = "/admin/events/recommendationevent/"


def list_of(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def found(client: Client, path: str, **query: object) -> list[object]:
    return [row.pk for row in client.get(path, query).context["cl"].result_list]


def test_the_log_and_the_preferences_are_such_tables() -> None:
    names = {model._meta.db_table for model in LOGS}
    assert {"slates", "recommendation_events", "feedback", "movie_days", "ratings", "favorites"} <= names


@EACH_LOG
def test_a_list_counts_no_more_than_its_limit_and_collects_no_values(
    admin_client: Client, model: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.site.get_model_admin(model), "list_per_page", 1)
    make_row(model)
    make_row(model)
    with CaptureQueriesContext(connection) as asked:
        admin_client.get(list_of(model))
    about = [query["sql"] for query in asked if f'"{model._meta.db_table}"' in query["sql"]]
    assert about
    for sql in about:
        assert "DISTINCT" not in sql
        assert "LIMIT" in sql, sql


@EACH_LOG
def test_the_newest_come_first_by_a_key_and_not_by_sorting_the_table(
    admin_client: Client, model: type
) -> None:
    make_row(model)
    with CaptureQueriesContext(connection) as asked:
        admin_client.get(list_of(model))
    pages = [sql for query in asked if (sql := query["sql"]) and f'FROM "{model._meta.db_table}"' in sql]
    ordered = [match[1] for sql in pages if (match := re.search(r"ORDER BY \S*?\"?(\w+)\"? DESC", sql))]
    assert ordered
    assert set(ordered) <= {"id", "1", "day"}


def test_a_longer_list_says_that_there_is_more(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "COUNTED", 2)
    make_impression()
    make_impression()
    assert "filter to reach the others" not in admin_client.get(IMPRESSIONS).content.decode()
    make_impression()
    page = admin_client.get(IMPRESSIONS)
    assert page.context["cl"].result_count == 2
    assert "or more: filter to reach the others" in page.content.decode()


def test_a_word_finds_viewers_by_name_and_films_by_title(admin_client: Client) -> None:
    ada, heat = make_user("ada"), make_movie("Heat")
    hers, its = make_impression(ada), make_impression(None, heat)
    make_impression()
    assert found(admin_client, IMPRESSIONS, q="ada") == [hers.pk]
    assert found(admin_client, IMPRESSIONS, q="heat") == [its.pk]
    assert found(admin_client, IMPRESSIONS, q="nobody of that name") == []
    assert len(found(admin_client, IMPRESSIONS, q="  ")) == 3


def test_a_number_or_an_id_finds_its_row(admin_client: Client) -> None:
    one, other = make_impression(), make_impression()
    assert one.pk in found(admin_client, IMPRESSIONS, q=one.pk)
    assert found(admin_client, IMPRESSIONS, q=other.slate_id) == [other.pk]
    slates = list_of(Slate)
    assert found(admin_client, slates, q=one.slate_id) == [one.slate_id]
    assert found(admin_client, slates, q=other.slate.unit_key) == [other.slate_id]
    assert found(admin_client, slates, q="9" * 40) == []


def test_a_span_of_days_filters_the_log(admin_client: Client) -> None:
    user = make_user()
    early, late = (make_slate(user, created_at=NOW + timedelta(days=days)) for days in (-5, 0))
    slates = list_of(Slate)
    assert found(admin_client, slates, created_at_from="2026-03-14") == [late.pk]
    assert found(admin_client, slates, created_at_to="2026-03-13") == [early.pk]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"algorithm": "svd"}, 1),
        ({"algorithm": "als"}, 0),
        ({"outcome__exact": "pending"}, 1),
        ({"outcome__exact": "success"}, 0),
    ],
)
def test_the_log_is_filtered_by_arm_and_outcome(
    admin_client: Client, query: dict[str, str], number: int
) -> None:
    make_impression()
    assert len(found(admin_client, IMPRESSIONS, **query)) == number


def test_lists_that_fell_back_are_found(admin_client: Client) -> None:
    fell = make_slate(degraded="no_model")
    well = make_slate()
    assert found(admin_client, list_of(Slate), fell_back="yes") == [fell.pk]
    assert found(admin_client, list_of(Slate), fell_back="no") == [well.pk]


def test_a_list_shows_its_films_in_their_places_with_the_reason(admin_client: Client) -> None:
    event = make_impression(None, make_movie("Heat", year=1995))
    RecommendationEvent.objects.update(reason={"text": "Because you liked <Alien>"})
    page = admin_client.get(reverse("admin:events_slate_change", args=[event.slate_id])).content.decode()
    assert "Heat (1995)" in page
    assert "Because you liked &lt;Alien&gt;" in page


def test_what_was_said_names_the_place_and_the_arm_that_it_settles(admin_client: Client) -> None:
    make_row(Feedback)
    assert "place 1 by svd" in admin_client.get(list_of(Feedback)).content.decode()
