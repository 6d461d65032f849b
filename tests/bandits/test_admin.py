"""Versions of the bandit in the admin: what they earned, and freezing them."""

import csv
import io
import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.algorithms.context import N_CONTEXTS, Context
from apps.bandits.models import BanditPolicy, BanditState
from apps.bandits.services import begin_version, check_all
from apps.core.models import AuditEntry
from tests.bandits.admin import url_of
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


def test_what_was_carried_over_is_not_what_the_version_showed(client: Client) -> None:
    before, viewer = make_policy(), make_user()
    ids = serve(make_log(before, ["svd", "als", "svd"], viewer=viewer))
    for event in ids:
        say(viewer, event, "click")
    after = begin_version(arms=before.arms, reason="a test", by=None)
    serve(make_log(after, ["svd", "als"]))
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    page = client.get(reverse(LIST)).content.decode()
    cells = re.findall(r"field-(?:shown|success_rate)[^>]*>(.*?)</td>", page, re.DOTALL)
    told = [re.sub(r"<[^>]+>", "", cell).strip() for cell in cells]
    assert told == ["2 (+ 3 carried over)", "0.0%", "3", "100.0%"]


def test_the_list_takes_the_same_queries_for_many_versions(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    counts = []
    for _ in range(2):
        for _ in range(3):
            serve(make_log(make_policy(), ["svd", "als"]))
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse(LIST))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_freezing_asks_for_a_reason_and_can_be_undone(client: Client) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy", "bandits.change_banditpolicy"]))
    assert "Serve all arms of these alike, whatever is believed?" in act(client, "freeze", policy.version)
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
    assert page.count('<th scope="row"') == N_CONTEXTS + 3
    assert page.count("1 shown") == 2
    first = page.partition("Contexts and arms")[2].partition("</tr>")[2].partition("</tr>")[0]
    assert ", ".join(Context.from_index(7).as_dict().values()) in first
    assert urlencode(Context.from_index(7).as_dict()).replace("&", "&amp;") in first
    assert f"What version {policy.version} of the bandit believes" in page
    link = reverse("admin:bandits_banditpolicy_change", args=[policy.pk])
    assert url in client.get(link).content.decode()
    answer = client.get(reverse("admin:bandits_banditpolicy_csv", args=[policy.pk]))
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(lines) == N_CONTEXTS * 3
    assert sum(int(line["shown"]) for line in lines) == 2
    assert sum(int(line["successes"]) for line in lines) == 1


def test_the_arms_over_all_contexts_are_a_csv_too(client: Client) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als", "svd", "svd"], viewer=viewer))
    say(viewer, ids[0], "click")
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    answer = client.get(reverse("admin:bandits_banditpolicy_arms_csv", args=[policy.pk]))
    lines = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert lines[0] == ["arm", "shown", "successes", "rate", "share", "n_best"]
    svd = dict(zip(lines[0], lines[3], strict=True))
    assert (svd["arm"], svd["shown"], svd["successes"], svd["share"]) == ("svd", "3", "1", "1.0")
    assert float(svd["rate"]) == pytest.approx(1 / 3)


def test_the_pages_of_a_version_lead_to_each_other(client: Client) -> None:
    policy = make_policy()
    see, begin = "bandits.view_banditpolicy", "bandits.add_banditpolicy"
    names = ["beliefs", "context", "activity", "off_policy"]
    urls = [reverse(f"admin:bandits_banditpolicy_{name}", args=[policy.pk]) for name in names]
    begins = reverse("admin:bandits_banditpolicy_begin", args=[policy.pk])
    for permissions, may_begin in (([see], False), ([see, begin], True)):
        client.force_login(make_staff(permissions=permissions))
        for page in (reverse("admin:bandits_banditpolicy_change", args=[policy.pk]), *urls):
            text = client.get(page).content.decode()
            assert all(url in text for url in urls), page
            assert (begins in text) == may_begin, page


def test_pages_of_an_older_version_say_which_one_serves(client: Client) -> None:
    before, after = make_policy(), make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    said = f"Version {after.version} has begun since and serves these arms"
    for policy, is_said in ((before, True), (after, False)):
        page = client.get(reverse("admin:bandits_banditpolicy_beliefs", args=[policy.pk])).content.decode()
        assert (said in page) == is_said
        assert "Nothing was shown yet" in page


def test_the_last_check_says_what_differs_and_what_to_do(client: Client) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    change = reverse("admin:bandits_banditpolicy_change", args=[policy.pk])
    assert f"manage.py bandit_check --policy-version {policy.version}" in client.get(change).content.decode()
    serve(make_log(policy, ["svd", "als"]))
    check_all()
    assert "all equal to the log" in client.get(change).content.decode()
    assert "equal to the log, 20" in client.get(reverse(LIST)).content.decode()
    BanditState.objects.filter(policy=policy, arm="svd").update(shown=5)
    check_all()
    page = client.get(change).content.decode()
    assert "svd in context 7: held 5 shown and 0 successes, by the log 1 and 0" in page
    assert f"manage.py bandit_rebuild --policy-version {policy.version}" in page
    assert "1 cells differ, 20" in client.get(reverse(LIST)).content.decode()


def test_the_page_of_a_version_has_the_switch_that_changes_something(client: Client) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy", "bandits.change_banditpolicy"]))
    change = reverse("admin:bandits_banditpolicy_change", args=[policy.pk])
    freezing, resuming = url_of(policy, "freeze"), 'value="resume"'
    page = client.get(change).content.decode()
    assert (freezing in page, resuming in page) == (True, False)
    act(client, "freeze", policy.version, reason="a test")
    page = client.get(change).content.decode()
    assert (freezing in page, resuming in page) == (False, True)


def test_a_version_that_is_none_is_not_found(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    for page in ("beliefs", "context", "activity", "off_policy"):
        assert client.get(reverse(f"admin:bandits_banditpolicy_{page}", args=[9])).status_code == 404
