"""The page of what served when."""

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


def test_a_site_where_nothing_changed_says_so() -> None:
    page = words(staff_client().get(TIMELINE))
    assert "Nothing changed. The first training, or a change of the serving policy, makes a row." in page
    assert (
        '<th scope="row">standard</th> <td>none is known</td> <td class="number">100 %</td>'
        " <td>the policy</td>"
    ) in page


def test_the_timeline_tells_what_changed_and_what_serves(candidate: Recipe, clock: SimulatedClock) -> None:
    version = ModelVersion.objects.get(recipe=candidate)
    rollout = ask()
    Activation.objects.create(version=version, recipe=candidate, at=clock.at, by="ada", reason="Back")
    clock.move_by(timedelta(hours=1))
    page = words(staff_client().get(TIMELINE))
    assert "Changes of the last 30 days" in page
    for share, why in (("80 %", "the policy"), ("10 %", f"rollout {rollout.pk} of bold")):
        assert f'<td class="number">{share}</td> <td>{why}</td>' in page
    assert f"<td>Version</td> <td>bold</td> <td>{version.name}</td> <td>ada</td> <td>Back</td>" in page
    assert "<td>Rollout</td> <td>bold</td> <td>Started</td> <td>by itself</td>" in page


@pytest.mark.parametrize(
    ("days", "told", "is_there"),
    [("7", 7, False), ("30", 30, True), ("365", 365, True), ("8", 30, True), ("x", 30, True), ("", 30, True)],
)
def test_the_timeline_goes_back_as_far_as_is_asked(
    candidate: Recipe, clock: SimulatedClock, days: str, told: int, is_there: bool
) -> None:
    ask()
    clock.move_by(timedelta(days=10))
    page = words(staff_client().get(TIMELINE, {"days": days}))
    assert f"Changes of the last {told} days" in page
    assert ("<td>Started</td>" in page) is is_there


def test_the_timeline_says_what_served_at_a_moment(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    promote(by=None, reason="urgent")
    clock.move_by(timedelta(hours=1))
    roll_back(by=None, reason="complaints")
    staff = staff_client()
    assert '<td class="number">98 %</td>' not in words(staff.get(TIMELINE))
    for at in ("2026-03-02T12:30", "2026-03-02 12:30"):
        page = words(staff.get(TIMELINE, {"at": at}))
        assert "On 2026-03-02 12:30" in page
        assert '<th scope="row">bold</th>' in page
        assert '<td class="number">98 %</td>' in page


@pytest.mark.parametrize("at", ["yesterday", "2026-02-30 12:00", SCRIPT, "9999999-01-01", "2026-03-02\0"])
def test_a_moment_that_is_none_is_refused_beside_its_field(at: str) -> None:
    answer = staff_client().get(TIMELINE, {"at": at})
    page = words(answer)
    assert "Enter a valid date/time." in page or "Null characters are not allowed." in page
    assert '<h2 id="served"> Now </h2>' in page, "what serves now is shown all the same"
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
