"""Versions of the bandit in the admin: what they earned, and freezing them."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from apps.algorithms.context import N_CONTEXTS, Context
from apps.bandits.models import BanditPolicy
from apps.core.models import AuditEntry
from tests.bandits.log import make_log, make_policy, say, serve
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:bandits_banditpolicy_changelist"


def act(client: Client, action: str, version: int, **more: str) -> str:
    body = {"action": action, "_selected_action": str(version), **more}
    return client.post(reverse(LIST), body, follow=True).content.decode()


def test_the_list_says_what_was_shown_and_earned(client: Client) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als"], viewer=viewer))
    say(viewer, ids[0], "click")
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    page = client.get(reverse(LIST)).content.decode()
    assert "als, item_cf, svd" in page
    assert "50.0%" in page
    assert "not yet" in page


def test_freezing_asks_for_a_reason_and_can_be_undone(client: Client) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy", "bandits.change_banditpolicy"]))
    assert "Serve these by fixed weights?" in act(client, "freeze", policy.version)
    assert not BanditPolicy.objects.get(pk=policy.pk).frozen
    act(client, "freeze", policy.version, reason="It looks odd")
    assert BanditPolicy.objects.get(pk=policy.pk).frozen
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.reason) == ("bandits.freeze", "It looks odd")
    act(client, "resume", policy.version, reason="It was not")
    assert not BanditPolicy.objects.get(pk=policy.pk).frozen


def test_who_may_only_look_freezes_nothing(client: Client) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    act(client, "freeze", policy.version, reason="It looks odd")
    assert not BanditPolicy.objects.get(pk=policy.pk).frozen


def test_the_page_of_beliefs_shows_every_context_and_the_csv_every_cell(client: Client) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als"], viewer=viewer))
    say(viewer, ids[0], "click")
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    url = reverse("admin:bandits_banditpolicy_beliefs", args=[policy.pk])
    page = client.get(url).content.decode()
    assert page.count('<th scope="row">') == N_CONTEXTS + 3
    assert page.count("1 shown") == 2
    first = page.partition("Contexts and arms")[2].partition("</tr>")[2].partition("</tr>")[0]
    assert ", ".join(Context.from_index(7).as_dict().values()) in first
    assert f"What version {policy.version} of the bandit believes" in page
    link = reverse("admin:bandits_banditpolicy_change", args=[policy.pk])
    assert url in client.get(link).content.decode()
    answer = client.get(reverse("admin:bandits_banditpolicy_csv", args=[policy.pk]))
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(lines) == N_CONTEXTS * 3
    assert sum(int(line["shown"]) for line in lines) == 2
    assert sum(int(line["successes"]) for line in lines) == 1


def test_a_version_that_is_none_is_not_found(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    assert client.get(reverse("admin:bandits_banditpolicy_beliefs", args=[9])).status_code == 404
