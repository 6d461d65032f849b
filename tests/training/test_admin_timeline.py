"""The page of what served when."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.clock import SimulatedClock
from apps.training.admin.rollouts import ASK, PROMOTE, ROLL_BACK
from apps.training.models import Activation, ModelVersion, Recipe
from apps.training.services.rollouts import promote, roll_back
from tests.factories import make_staff
from tests.training.rolling import ask, candidate, clock, fresh, nothing_kept, servable

__all__ = ["candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]

TIMELINE = reverse("admin:training_rollout_timeline")
SCRIPT = "<script>alert(1)</script>"


def staff_client() -> Client:
    client = Client()
    client.force_login(make_staff(permissions=["training.view_rollout"]))
    return client


def words(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def rows_of(answer: HttpResponse) -> list[list[str]]:
    """The cells of each row of its tables, as they are read."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", words(answer))
    rows = [row for body in bodies for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)]
    return [[cell.strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_a_site_where_nothing_changed_says_so() -> None:
    answer = staff_client().get(TIMELINE)
    assert "Nothing changed. The first training, or a change of the serving policy, makes a row." in words(
        answer
    )
    assert rows_of(answer) == [["standard", "none is known", "100.0%", "the policy"]]


def test_the_timeline_tells_what_changed_and_what_serves(candidate: Recipe, clock: SimulatedClock) -> None:
    version = ModelVersion.objects.get(recipe=candidate)
    rollout = ask()
    Activation.objects.create(version=version, recipe=candidate, at=clock.at, by="ada", reason="Back")
    clock.move_by(timedelta(hours=1))
    answer = staff_client().get(TIMELINE)
    assert "Changes of the last 30 days" in words(answer)
    rows = rows_of(answer)
    assert {tuple(row[2:]) for row in rows if len(row) == 4} == {
        ("80.0%", "the policy"),
        ("10.0%", f"rollout {rollout.pk} of bold"),
    }
    assert ["Version", "bold", version.name, "ada", "Back"] in [row[1:] for row in rows]
    assert ["Rollout", "bold", "Started", "a command"] in [row[1:5] for row in rows]


@pytest.mark.parametrize(
    ("days", "told", "is_there"),
    [("7", 7, False), ("30", 30, True), ("365", 365, True), ("8", 30, True), ("x", 30, True), ("", 30, True)],
)
def test_the_timeline_goes_back_as_far_as_is_asked(
    candidate: Recipe, clock: SimulatedClock, days: str, told: int, is_there: bool
) -> None:
    ask()
    clock.move_by(timedelta(days=10))
    answer = staff_client().get(TIMELINE, {"days": days})
    assert f"Changes of the last {told} days" in words(answer)
    assert any("Started" in row for row in rows_of(answer)) is is_there


def test_the_timeline_says_what_served_at_a_moment(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    promote(by=None, reason="urgent")
    clock.move_by(timedelta(hours=1))
    roll_back(by=None, reason="complaints")
    staff = staff_client()
    assert not any("98.0%" in row for row in rows_of(staff.get(TIMELINE)))
    for at in ("2026-03-02T12:30", "2026-03-02 12:30"):
        answer = staff.get(TIMELINE, {"at": at})
        assert "On 2026-03-02 12:30" in words(answer)
        assert ["bold", "98.0%"] in [[row[0], row[2]] for row in rows_of(answer)]


@pytest.mark.parametrize("at", ["yesterday", "2026-02-30 12:00", SCRIPT, "9999999-01-01", "2026-03-02\0"])
def test_a_moment_that_is_none_is_refused_beside_its_field(at: str) -> None:
    answer = staff_client().get(TIMELINE, {"at": at})
    page = words(answer)
    assert "Enter a valid date/time." in page or "Null characters are not allowed." in page
    assert '<h3 id="served">Now</h3>' in page, "what serves now is shown all the same"
    assert SCRIPT not in page


@pytest.mark.parametrize("at", ["0001-01-01 00:00", "9999-12-31 23:59"])
def test_the_first_and_the_last_moment_there_are_have_an_answer(candidate: Recipe, at: str) -> None:
    ask()
    assert staff_client().get(TIMELINE, {"at": at}).status_code == 200


def test_the_timeline_takes_the_permission_to_see_rollouts() -> None:
    client = Client()
    client.force_login(make_staff(permissions=[ASK, PROMOTE, ROLL_BACK]))
    assert client.get(TIMELINE).status_code == 403


def test_the_timeline_takes_as_many_queries_however_much_there_was(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    staff, counts = staff_client(), []
    version = ModelVersion.objects.get(recipe=candidate)
    for n in (1, 5):
        for _ in range(n):
            roll_back(rollout_id=ask().pk, by=None, reason="no")
            Activation.objects.create(version=version, recipe=candidate, at=clock.at)
        ask()
        clock.move_by(timedelta(minutes=1))
        staff.get(TIMELINE)
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(TIMELINE).status_code == 200
        counts.append(len(queries))
        roll_back(by=None, reason="no")
    assert counts[0] == counts[1]
