"""Freezing a version of the bandit's policy in the admin, by weights."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.bandits.beliefs import held_bandit
from apps.bandits.models import BanditPolicy
from apps.bandits.services import begin_version, freeze, judge
from apps.core.models import AuditEntry
from tests.bandits.admin import url_of
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.bandits.test_judging import make_history
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    permissions = ["bandits.view_banditpolicy", "bandits.change_banditpolicy", "bandits.add_banditpolicy"]
    client.force_login(make_staff(username="boss", permissions=permissions))


def send(client: Client, policy: BanditPolicy, **changed: Any) -> HttpResponse:
    body = {"als": "1", "item_cf": "1", "svd": "2", "reason": "It looks odd"}
    answer: Any = client.post(url_of(policy, "freeze"), body | changed)
    return answer


def test_arms_serve_by_the_parts_that_were_given(client: Client) -> None:
    policy = make_policy()
    assert send(client, policy).headers["Location"] == url_of(policy, "change")
    bandit = held_bandit(ARMS)
    assert bandit is not None
    assert bandit.policy.frozen
    assert bandit.fixed_weights() == {"als": 0.25, "item_cf": 0.25, "svd": 0.5}
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor_name, entry.reason) == ("bandits.freeze", "boss", "It looks odd")


def test_a_preview_says_what_the_weights_would_have_earned_and_changes_nothing(client: Client) -> None:
    policy = make_policy()
    make_history(policy)
    page = send(client, policy, preview="1", reason="").content.decode()
    name = "weights:als=0.25,item_cf=0.25,svd=0.5"
    (judged,) = judge([name], version=policy.version, days=30)
    found = judged.estimates["dr"]
    assert found.value is not None
    assert f"{found.value:.1%}" in page
    assert f"Judged from 480 films shown to 80 viewers by version {policy.version}" in page
    assert not BanditPolicy.objects.get(pk=policy.pk).frozen
    assert not AuditEntry.objects.filter(action="bandits.freeze").exists()


def test_a_preview_without_a_log_says_so(client: Client) -> None:
    page = send(client, make_policy(), preview="1").content.decode()
    assert "No list of these arms counts in 30 days, so there is nothing to judge from." in page


def test_a_preview_of_terms_draws_by_what_the_version_of_the_log_began_with(client: Client) -> None:
    policy = make_policy(explore=0.05, max_share=0.6)
    make_history(policy, n_viewers=10)
    terms = {"alpha": "1", "beta": "1", "sharpness": "0.3", "explore": "0.2", "max_share": "0.6", "keep": "1"}
    body = terms | {"newest": str(policy.version), "preview": "1"}
    page = client.post(url_of(policy, "begin"), body).content.decode()
    assert "These terms" in page
    assert f"begins, as judged here, with what version {policy.version} began with" in page
    assert BanditPolicy.objects.count() == 1
    refused = client.post(url_of(policy, "begin"), body | {"half_life_days": "0.5"}).content.decode()
    assert "A half-life is at least a day, not 0.5." in refused


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"als": "0"}, "Give each arm some part: what is never shown can never be judged again."),
        ({"als": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"als": "much"}, "Enter a number."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_refuses_with_the_field(client: Client, changed: dict[str, str], sentence: str) -> None:
    policy = make_policy()
    answer = send(client, policy, **changed)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not BanditPolicy.objects.get(pk=policy.pk).frozen


def test_one_that_is_frozen_already_is_left_as_it_is(client: Client) -> None:
    policy = make_policy()
    freeze(version=policy.version, reason="a test", by=None)
    page = send(client, policy).content.decode()
    assert f"Version {policy.version} of the bandit&#x27;s policy is frozen already" in page
    assert BanditPolicy.objects.get(pk=policy.pk).frozen_weights == {}


def test_the_page_of_a_replaced_version_names_the_one_that_serves(client: Client) -> None:
    policy = make_policy()
    serve(make_log(policy, ["svd"]))
    later = begin_version(arms=ARMS, reason="a test", by=None)
    page = client.get(url_of(policy, "freeze")).content.decode()
    assert f"Version {later.version} serves these arms now" in page
    assert url_of(later, "freeze") in page


def test_who_may_only_look_gets_no_page(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))
    policy = make_policy()
    assert client.get(url_of(policy, "freeze")).status_code == 403
    assert url_of(policy, "freeze") not in client.get(url_of(policy, "change")).content.decode()
