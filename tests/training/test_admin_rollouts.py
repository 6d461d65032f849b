"""Rollouts in the admin: asked for, led and rolled back by who may, and what served when."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.clock import SimulatedClock
from apps.core.models import AuditEntry
from apps.experiments.policy import read_policy
from apps.experiments.services import pause, watch
from apps.training.admin.rollouts import ACTS, ASK, PROMOTE, ROLL_BACK
from apps.training.models import Recipe, Rollout
from apps.training.services.rollouts import promote, roll_back, serve_everybody, withdraw
from tests.experiments.setup import make_version
from tests.factories import make_staff
from tests.training.rolling import (
    ask,
    candidate,
    clock,
    expose,
    fresh,
    make_candidate,
    nothing_kept,
    servable,
    share_of,
    the_one,
)

__all__ = ["candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]

VIEW = "training.view_rollout"
LIST = reverse("admin:training_rollout_changelist")
ADD = reverse("admin:training_rollout_add")
TIMELINE = reverse("admin:training_rollout_timeline")
SCRIPT = "<script>alert(1)</script>"


def staff_client(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff(permissions=[VIEW, *permissions]))
    return client


def words(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def page_of(client: Client, rollout: Rollout) -> str:
    answer: Any = client.get(reverse("admin:training_rollout_change", args=[rollout.pk]))
    assert answer.status_code == 200
    return words(answer)


def act_url(rollout: Rollout, name: str) -> str:
    return reverse("admin:training_rollout_act", args=[rollout.pk, name])


def act(client: Client, rollout: Rollout, name: str, reason: str = "a test") -> Any:
    return client.post(act_url(rollout, name), {"reason": reason})


# --- The list and the page of one -----------------------------------------------------------------


def test_the_list_says_where_each_stands_and_why(candidate: Recipe) -> None:
    make_candidate("second")
    staff = staff_client()
    assert "Copy a recipe, change it, fit it" in words(staff.get(LIST)), "there is none yet"
    ask()
    ask("second")
    page = words(staff.get(LIST))
    assert "Recipe <strong>standard</strong> is the policy’s." in page
    assert f'<a href="{TIMELINE}">What served when</a>' in page
    assert "In steps" in page
    assert "it ranks better" in page
    assert "Waiting" in page
    assert "bold is being rolled out: it has its turn when that has ended." in page
    assert ADD not in page, "asking takes a permission"
    assert ADD in words(staff_client(ASK).get(LIST))
    found = words(staff.get(f"{LIST}?status__exact=waiting"))
    assert "bold is being rolled out" in found
    assert "it ranks better" not in found


def test_a_page_in_steps_shows_them_and_what_can_be_done(candidate: Recipe, clock: SimulatedClock) -> None:
    rollout, staff = ask(), staff_client(PROMOTE, ROLL_BACK, "experiments.view_experiment")
    page = page_of(staff, rollout)
    assert "<strong>In steps</strong>" in page
    assert "The log of the last two weeks tells too little to say what could be found." in page
    assert '<tr class="is-main" aria-current="step"> <th scope="row">Step 1 (now)</th>' in page
    assert page.count("(now)") == 1
    for name, share, waits in (("Step 2", "50 %", "120 hours"), ("Promoted", "98 %", "–")):
        row = page[page.index(f'<th scope="row">{name}') :]
        cells = row[: row.index("</tr>")]
        assert f'<td class="number">{share}</td>' in cells
        assert f"<td>{waits}</td>" in cells
    assert act_url(rollout, "promote") in page
    assert act_url(rollout, "roll_back") in page
    assert act_url(rollout, "serve_everybody") not in page
    assert reverse("admin:experiments_experiment_overview", args=[rollout.experiment_id]) in page
    clock.move_by(timedelta(days=5))
    watch()
    assert "It is held: No list of candidate was counted since step 1 began:" in page_of(staff, rollout)
    expose()
    watch()
    assert "Step 2 (now)" in page_of(staff, rollout)


def test_a_promoted_ones_page_offers_to_serve_everybody(candidate: Recipe) -> None:
    rollout = ask()
    promote(by=None, reason="urgent")
    page = page_of(staff_client(PROMOTE, ROLL_BACK), rollout)
    assert "<strong>Promoted</strong>" in page
    assert '<th scope="row">Promoted (now)</th>' in page
    assert page.count("(now)") == 1
    assert act_url(rollout, "serve_everybody") in page
    assert act_url(rollout, "promote") not in page


def test_the_page_of_one_that_waits_says_for_what(candidate: Recipe) -> None:
    make_candidate("second")
    ask()
    second = ask("second")
    page = page_of(staff_client(ASK, PROMOTE, ROLL_BACK), second)
    assert "<strong>Waiting</strong>: bold is being rolled out: it has its turn" in page
    assert act_url(second, "withdraw") in page
    assert act_url(second, "promote") not in page
    assert "rollout-steps" not in page


def test_what_serves_everybody_is_rolled_back_from_its_page_and_what_served_before_is_not(
    candidate: Recipe,
) -> None:
    make_candidate("second", beside=("standard", "bold"))
    first = ask()
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    staff = staff_client(ROLL_BACK)
    assert act_url(first, "roll_back") in page_of(staff, first)
    second = ask("second")
    assert act_url(first, "roll_back") not in page_of(staff, first), "another one is on its way"
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    assert act_url(first, "roll_back") not in page_of(staff, first)
    assert act_url(second, "roll_back") in page_of(staff, second)
    assert "<strong>Serves everybody</strong>: urgent" in page_of(staff, second)


@pytest.mark.parametrize("status", ["rolled_back", "withdrawn", "replaced"])
def test_the_page_of_one_that_ended_says_why_and_offers_nothing(candidate: Recipe, status: str) -> None:
    make_candidate("second")
    make_candidate("third")
    first, second = ask(), ask("second")
    if status == "rolled_back":
        ended = roll_back(by=None, reason=f"It is bad {SCRIPT}")
    elif status == "withdrawn":
        ended = withdraw(rollout_id=second.pk, by=None, reason=f"It is bad {SCRIPT}")
    else:
        ask("third")
        ended = second
    ended.refresh_from_db()
    assert ended.status == status
    page = page_of(staff_client(ASK, PROMOTE, ROLL_BACK), ended)
    said = (
        "third was asked for." if status == "replaced" else "It is bad &lt;script&gt;alert(1)&lt;/script&gt;"
    )
    assert f"</strong>: {said}" in page
    assert "/act/" not in page
    assert "(now)" not in page
    assert SCRIPT not in page
    assert first.pk


def test_a_reason_is_text_wherever_it_is_shown(candidate: Recipe, clock: SimulatedClock) -> None:
    client = staff_client(ASK, ROLL_BACK)
    client.post(ADD, {"recipe": "bold", "reason": SCRIPT})
    rollout = the_one()
    assert rollout.reason == SCRIPT
    act(client, rollout, "roll_back", SCRIPT)
    clock.move_by(timedelta(hours=1))
    for page in (words(client.get(LIST)), page_of(client, rollout), words(client.get(TIMELINE))):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert SCRIPT not in page


# --- Asking ---------------------------------------------------------------------------------------


def test_a_recipe_is_asked_for_and_its_rollout_begins(candidate: Recipe) -> None:
    staff = staff_client(ASK)
    asked = staff.get(f"{ADD}?recipe=bold")
    assert asked.status_code == 200
    assert '<option value="bold" selected>bold</option>' in words(asked)
    assert 'value="standard"' not in words(asked), "it serves already"
    answer = staff.post(ADD, {"recipe": "bold", "reason": "it ranks better"}, follow=True)
    rollout = the_one()
    assert answer.redirect_chain == [(reverse("admin:training_rollout_change", args=[rollout.pk]), 302)]
    assert f"rollout {rollout.pk} of bold is asked for: in steps." in words(answer)
    entry = AuditEntry.objects.get(action="training.ask_for_rollout")
    assert (rollout.asked_by, rollout.reason) == (entry.actor_name, "it ranks better")
    assert share_of() > 0


def test_what_has_to_wait_is_asked_for_too(candidate: Recipe) -> None:
    make_candidate("second")
    ask()
    answer = staff_client(ASK).post(ADD, {"recipe": "second", "reason": "next"}, follow=True)
    assert "of second is asked for: waiting." in words(answer)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("bold", "Recipe &#x27;bold&#x27; is being rolled out already."),
        (
            "untested",
            "Recipe &#x27;untested&#x27; was not tested beside &#x27;standard&#x27;, which serves: fit it,"
            " which tests it (manage.py train --recipe untested).",
        ),
        ("standard", "Select a valid choice. standard is not one of the available choices."),
        ("unfitted", "Select a valid choice. unfitted is not one of the available choices."),
        ("nobody", "Select a valid choice. nobody is not one of the available choices."),
        ("", "This field is required."),
        (SCRIPT, "Select a valid choice. &lt;script&gt;alert(1)&lt;/script&gt; is not one of"),
    ],
)
def test_what_cannot_be_asked_for_is_said_beside_the_recipe(
    candidate: Recipe, recipe: str, said: str
) -> None:
    ask()
    make_version("untested")
    Recipe.objects.create(name="unfitted")
    answer = staff_client(ASK).post(ADD, {"recipe": recipe, "reason": "a try"})
    assert answer.status_code == 400
    page = words(answer)
    field = page[page.index('name="recipe"') : page.index('name="reason"')]
    assert said in field
    assert page.count('role="alert"') == 1
    assert ">a try</textarea>" in page.replace("> a try", ">a try"), "what was typed is kept"
    assert Rollout.objects.count() == 1


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 501, "Ensure this value has at most 500 characters (it has 501)."),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_a_reason_that_is_none_is_said_beside_it(candidate: Recipe, reason: str, said: str) -> None:
    answer = staff_client(ASK).post(ADD, {"recipe": "bold", "reason": reason})
    assert answer.status_code == 400
    page = words(answer)
    assert said in page[page.index('name="reason"') :]
    assert not Rollout.objects.exists()


# --- Acts -----------------------------------------------------------------------------------------


def prepared(name: str) -> Rollout:
    """A rollout that the act fits."""
    rollout = ask()
    if name == "serve_everybody":
        promote(by=None, reason="urgent")
    if name == "withdraw":
        make_candidate("second")
        rollout = ask("second")
    rollout.refresh_from_db()
    return rollout


BECOMES = {
    "promote": "promoted",
    "serve_everybody": "finished",
    "roll_back": "rolled_back",
    "withdraw": "withdrawn",
}


@pytest.mark.parametrize("name", ACTS)
def test_who_may_does_it_with_a_reason(candidate: Recipe, name: str) -> None:
    rollout, staff = prepared(name), staff_client(ACTS[name].permission)
    asked = staff.get(act_url(rollout, name))
    assert asked.status_code == 200
    assert ACTS[name].about in words(asked).replace("&#x27;", "'")
    unsaid = act(staff, rollout, name, "")
    assert unsaid.status_code == 400
    assert "This field is required." in words(unsaid)
    answer = act(staff, rollout, name)
    assert answer.headers["Location"] == reverse("admin:training_rollout_change", args=[rollout.pk])
    rollout.refresh_from_db()
    assert rollout.status == BECOMES[name]
    assert AuditEntry.objects.filter(target_id=str(rollout.pk), reason="a test").exists()
    assert act(staff, rollout, name).status_code == 400, "once is enough"


@pytest.mark.parametrize("name", ACTS)
def test_without_its_permission_nobody_does_it(candidate: Recipe, name: str) -> None:
    rollout = prepared(name)
    others = {ASK, PROMOTE, ROLL_BACK} - {ACTS[name].permission}
    staff = staff_client(*others)
    assert staff.get(act_url(rollout, name)).status_code == 403
    assert act(staff, rollout, name).status_code == 403
    assert act_url(rollout, name) not in page_of(staff, rollout)
    before = rollout.status
    rollout.refresh_from_db()
    assert rollout.status == before


def test_acts_take_a_token_and_two_methods_and_are_those_there_are(candidate: Recipe) -> None:
    rollout = ask()
    staff = staff_client(PROMOTE, ROLL_BACK, ASK)
    assert staff.put(act_url(rollout, "promote")).status_code == 405
    assert staff.delete(act_url(rollout, "promote")).status_code == 405
    assert staff.get(act_url(rollout, "no-such-act")).status_code == 404
    assert staff.get(reverse("admin:training_rollout_act", args=[10**6, "promote"])).status_code == 404
    assert staff.post(TIMELINE).status_code == 405
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(make_staff(permissions=[VIEW, PROMOTE]))
    assert act(forged, rollout, "promote").status_code == 403
    assert the_one().status == "running"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("serve_everybody", "Recipe &#x27;bold&#x27; is in steps: promote it first."),
        ("withdraw", "does not wait: roll it back if it is under way."),
    ],
)
def test_what_does_not_fit_is_refused_on_the_page(candidate: Recipe, name: str, said: str) -> None:
    rollout = ask()
    answer = act(staff_client(ASK, PROMOTE), rollout, name)
    assert answer.status_code == 400
    assert said in words(answer)
    assert the_one().status == "running"


def test_a_paused_one_is_not_promoted(candidate: Recipe) -> None:
    rollout = ask()
    pause(key=rollout.experiment_id or "", by=None, reason="a look")
    answer = act(staff_client(PROMOTE), rollout, "promote")
    assert answer.status_code == 400
    assert "Rollout of bold is paused, not running." in words(answer)


def test_a_rollback_takes_two_clicks_and_a_reason(candidate: Recipe) -> None:
    rollout, staff = ask(), staff_client(ROLL_BACK)
    assert act_url(rollout, "roll_back") in page_of(staff, rollout)
    asked = words(staff.get(act_url(rollout, "roll_back")))
    assert f"Roll rollout {rollout.pk} of bold back?" in asked
    assert ">Roll back</button>" in asked
    assert share_of() > 0, "asking does nothing"
    act(staff, rollout, "roll_back")
    assert (share_of(), read_policy().bandit_suspended) == (0, True)


# --- What it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["list", "object"])
def test_a_page_takes_as_many_queries_however_many_there_were(candidate: Recipe, page: str) -> None:
    staff = staff_client(ASK, PROMOTE, ROLL_BACK, "training.view_recipe", "experiments.view_experiment")
    counts = []
    for n in (1, 5):
        for _ in range(n):
            roll_back(rollout_id=ask().pk, by=None, reason="no")
        own = reverse("admin:training_rollout_change", args=[ask().pk])
        address = LIST if page == "list" else own
        staff.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(address).status_code == 200
        counts.append(len(queries))
        roll_back(by=None, reason="no")
    assert counts[0] == counts[1]
