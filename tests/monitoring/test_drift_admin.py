"""Drift in the admin, and the task that works it out."""

from datetime import date, timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from apps.algorithms.registry import ARMS
from apps.monitoring.admin import TITLES
from apps.monitoring.drift import SUBJECTS
from apps.monitoring.models import DriftDay
from apps.monitoring.tasks import record_drift
from recommender_site.celery import app
from tests.factories import make_staff
from tests.monitoring.drifting import DAY, TRAINED, make_version
from tests.rows import make_drift

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/driftday/"


def text_of(client: Client, path: str = LIST, **query: object) -> str:
    return client.get(path, query).content.decode()


def found(client: Client, **query: object) -> list[DriftDay]:
    return list(client.get(LIST, query).context["cl"].result_list)


# --- The list ------------------------------------------------------------------------------------


def test_every_subject_has_words_for_it() -> None:
    assert {*SUBJECTS, *(f"scores_{name}" for name, arm in ARMS.items() if arm.personal)} == set(TITLES)


def test_an_empty_list_says_what_makes_a_row(admin_client: Client) -> None:
    page = text_of(admin_client)
    assert "once the recipe that serves has a version: train one under Training runs" in page
    assert "drift-chart" not in page


def test_an_empty_list_says_from_which_day_on_there_is_something_to_compare(admin_client: Client) -> None:
    make_version(read_at=TRAINED + timedelta(days=3))
    make_version()
    page = text_of(admin_client)
    said = (
        "The first day that can be compared of recipe &#x27;standard&#x27;, which serves, is 2026-03-07, of"
        " UTC: its first version was trained then. Each day is worked out in the night after it."
    )
    assert said in page
    assert "once the recipe that serves has a version" not in page
    with time_machine.travel("2026-03-07T04:30Z", tick=False):
        assert record_drift() == 0
    with time_machine.travel("2026-03-08T04:30Z", tick=False):
        assert record_drift() > 0
    assert set(DriftDay.objects.values_list("day", flat=True)) == {date(2026, 3, 7)}


def test_the_list_counts_figures(admin_client: Client) -> None:
    assert "0 figures" in " ".join(text_of(admin_client).split())
    make_drift()
    assert "1 figure " in " ".join(text_of(admin_client).split())
    assert "No figures match" in text_of(admin_client, status="too_few")


def test_a_row_says_whether_it_drifted(admin_client: Client) -> None:
    make_drift(psi=0.31)
    make_drift(psi=0.21, subject="scores_svd")
    make_drift(psi=0.9, status="too_few", subject="shown_genres")
    make_drift(psi=None, status="no_baseline", subject="scores")
    page = text_of(admin_client)
    for words in ("Ratings: stars", "Scores: svd", "0.310", "drifted", "steady", "too few", "100,000"):
        assert words in page
    assert "training side unknown" in page
    rows = DriftDay.objects.order_by("pk")
    assert [row.has_drifted for row in rows] == [True, False, False, False]


def test_the_list_is_narrowed_by_day_and_by_what(admin_client: Client) -> None:
    early, late = make_drift(day=DAY), make_drift(day=DAY + timedelta(days=3), subject="scores")
    assert found(admin_client) == [late, early]
    assert found(admin_client, day_from="2026-03-15") == [late]
    assert found(admin_client, day_to="2026-03-14") == [early]
    assert found(admin_client, subject="ratings") == [early]
    assert found(admin_client, status="too_few") == []


def test_the_chart_has_a_line_a_subject_and_the_level_that_counts(admin_client: Client) -> None:
    for ago in range(40):
        make_drift(day=DAY - timedelta(days=ago), psi=0.1 + ago / 1000)
    make_drift(day=DAY, subject="scores", status="too_few", psi=3.0)
    chart = admin_client.get(LIST).context["chart"]
    notes = {row.label: (row.note, len(row.lines)) for row in chart.rows}
    assert notes["Ratings: stars"] == ("0.08; up to 0.25", 1)
    assert notes["Scores: all arms"] == ("no figure yet; up to 0.25", 0)
    assert {row.level for row in chart.rows} == {"20.00"}
    assert 'aria-labelledby="drift-chart-title drift-chart-about"' in text_of(admin_client)


def test_a_row_of_the_chart_that_is_far_off_leaves_the_level_in_sight(admin_client: Client) -> None:
    make_drift(psi=7.0)
    chart = admin_client.get(LIST).context["chart"]
    assert chart.rows[0].note == "6.98; up to 1.00"
    assert chart.rows[0].level == "80.00"


def test_the_chart_is_of_the_recipe_that_serves(admin_client: Client) -> None:
    make_drift(recipe="wide")
    assert admin_client.get(LIST).context["chart"] is None


def test_a_row_shows_its_bins(admin_client: Client) -> None:
    row = make_drift()
    page = text_of(admin_client, reverse("admin:monitoring_driftday_change", args=[row.pk]))
    assert "75.0%" in page
    assert "50.0%" in page


def test_a_longer_list_asks_no_more_queries(admin_client: Client) -> None:
    asked = []
    for _ in range(2):
        for _ in range(5):
            make_drift()
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(LIST)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_who_may_see_it_finds_it_under_training(client: Client) -> None:
    client.force_login(make_staff(permissions=["monitoring.view_driftday"]))
    groups = client.get("/admin/").context["sidebar_navigation"]
    assert [item["title"] for group in groups for item in group["items"]] == ["Overview", "Drift"]


# --- The task ------------------------------------------------------------------------------------


def test_each_night_the_two_days_before_are_worked_out() -> None:
    make_version()
    with time_machine.travel("2026-03-15T04:30Z", tick=False):
        assert record_drift() == DriftDay.objects.count() > 0
        assert record_drift() == DriftDay.objects.count()
    assert set(DriftDay.objects.values_list("day", flat=True)) == {DAY, DAY - timedelta(days=1)}


def test_more_days_are_made_up_for_when_asked() -> None:
    make_version()
    with time_machine.travel("2026-03-20T04:30Z", tick=False):
        record_drift(days=5)
    assert DriftDay.objects.order_by("day").values_list("day", flat=True)[0] == date(2026, 3, 15)


def test_the_schedule_is_each_night_after_the_fit() -> None:
    PeriodicTask.objects.all().delete()
    migration = import_module("apps.monitoring.migrations.0002_schedule")
    migration.forwards(apps, None)
    row = PeriodicTask.objects.get(name="monitoring: nightly drift")
    assert row.crontab is not None
    assert (row.crontab.hour, row.crontab.minute) == ("4", "30")
    app.loader.import_default_modules()
    assert row.task in app.tasks
    migration.backwards(apps, None)
    assert not PeriodicTask.objects.exists()
