"""The policy's bandit is suspended and let draw again, each by a button that asks why."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import current_policy
from apps.experiments.services import assign, suspend_bandit
from tests.experiments.setup import HYBRID, make_running
from tests.factories import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

LIST = reverse("admin:experiments_servingpolicy_changelist")
PAGE = reverse("admin:experiments_servingpolicy_change", args=[1])
VIEW, CHANGE = "experiments.view_servingpolicy", "experiments.change_servingpolicy"
BANDIT = {"policy": "bandit", "arms": ["svd", "item_cf"], "slots": 1}
SCRIPT = "<script>alert(1)</script>"


def staff_client(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff(permissions=[VIEW, *permissions]))
    return client


def press(client: Client, action: str, reason: str | None = None) -> Any:
    said = {} if reason is None else {"reason": reason}
    return client.post(LIST, {"action": action, "_selected_action": [1], **said}, follow=True)


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("action", "was", "button", "asks", "done"),
    [
        (
            "suspend",
            False,
            "Suspend the bandit",
            "Let a bandit&#x27;s arms serve by fixed weights?",
            "Suspended: 1",
        ),
        (
            "resume",
            True,
            "Let the bandit draw again",
            "Let the bandit draw by what it learned?",
            "Draws again: 1",
        ),
    ],
)
def test_a_button_asks_why_and_does_it(action: str, was: bool, button: str, asks: str, done: str) -> None:
    ServingPolicy.objects.update(bandit_suspended=was, strategy=BANDIT)
    staff, version = staff_client(CHANGE), ServingPolicy.objects.get().version
    page = words(staff.get(PAGE))
    assert f'value="{action}" class="admin-button">{button}</button>' in page
    other = {"suspend": "resume", "resume": "suspend"}[action]
    assert f'value="{other}" class="admin-button"' not in page, "it would change nothing"
    asked = press(staff, action)
    assert asks in words(asked)
    assert ServingPolicy.objects.get().bandit_suspended is was, "asking does nothing"
    unsaid = press(staff, action, "")
    assert "This field is required." in words(unsaid)
    assert ServingPolicy.objects.get().bandit_suspended is was
    assert done in words(press(staff, action, "Odd draws"))
    row = ServingPolicy.objects.get()
    assert (row.bandit_suspended, row.version) == (not was, version), "what it learned is of this version"
    entry = AuditEntry.objects.get(action=f"policy.{action}_bandit")
    assert (entry.reason, entry.target_id) == ("Odd draws", "1")
    assert "There is nothing to change about what was chosen." in words(press(staff, action, "Twice"))
    assert AuditEntry.objects.filter(action=f"policy.{action}_bandit").count() == 1


def test_it_is_in_effect_with_the_next_list(django_capture_on_commit_callbacks: Any) -> None:
    assert not assign(None).bandit_suspended
    with django_capture_on_commit_callbacks(execute=True):
        press(staff_client(CHANGE), "suspend", "Odd draws")
    assert current_policy().bandit_suspended
    assert assign(None).bandit_suspended


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_where_no_bandit_serves_neither_button_is_there(action: str) -> None:
    ServingPolicy.objects.update(bandit_suspended=action == "resume")
    staff = staff_client(CHANGE)
    page = words(staff.get(PAGE))
    assert 'class="admin-button">Let the bandit draw again<' not in page
    assert 'class="admin-button">Suspend the bandit<' not in page
    assert "It counts once a bandit serves." in page
    make_running("drawing", strategies={"control": HYBRID, "drawn": BANDIT})
    assert f'value="{action}" class="admin-button">' in words(staff.get(PAGE)), "some are served by one"


def test_whoever_may_only_look_is_offered_neither() -> None:
    ServingPolicy.objects.update(strategy=BANDIT)
    staff = staff_client()
    assert "Suspend the bandit" not in words(staff.get(PAGE))
    press(staff, "suspend", "A look")
    assert not ServingPolicy.objects.get().bandit_suspended


def test_the_buttons_take_a_token() -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(make_staff(permissions=[VIEW, CHANGE]))
    assert press(forged, "suspend", "A look").status_code == 403
    assert not ServingPolicy.objects.get().bandit_suspended


def test_the_reason_is_text_in_the_audit() -> None:
    suspend_bandit(reason=SCRIPT, by=None)
    client = Client()
    client.force_login(make_staff(permissions=["core.view_auditentry"]))
    page = words(client.get(reverse("admin:core_auditentry_changelist")))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert SCRIPT not in page
