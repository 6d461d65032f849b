"""Beginning a version of the bandit's policy in the admin."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.bandits.admin.beginning import BeginForm
from apps.bandits.models import BanditPolicy, BanditState
from apps.bandits.services import freeze
from apps.core.admin.asking import add_refusal
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from tests.bandits.admin import url_of
from tests.bandits.log import make_log, make_policy, serve
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    permissions = ["bandits.view_banditpolicy", "bandits.add_banditpolicy"]
    client.force_login(make_staff(username="boss", permissions=permissions))


def send(client: Client, policy: BanditPolicy, **changed: Any) -> HttpResponse:
    body = {
        "alpha": "1",
        "beta": "9",
        "sharpness": "0.3",
        "half_life_days": "",
        "explore": "0.05",
        "max_share": "0.6",
        "keep": "0.5",
        "reason": "Less of what was",
        "newest": str(policy.version),
    }
    answer: Any = client.post(url_of(policy, "begin"), body | changed)
    return answer


def test_the_form_has_the_terms_of_the_version(client: Client) -> None:
    policy = make_policy(sharpness=0.2, half_life_days=12.5)
    page = client.get(url_of(policy, "begin")).content.decode()
    assert f"Begin version {policy.version + 1} of the bandit?" in page
    assert 'name="sharpness" value="0.2"' in page
    assert 'name="half_life_days" value="12.5"' in page
    assert 'name="keep" value="1.0"' in page


def test_a_version_begins_with_the_terms_and_counts_that_were_asked_for(client: Client) -> None:
    policy = make_policy(share_half_life_days=3.0)
    serve(make_log(policy, ["svd"] * 4))
    assert send(client, policy).headers["Location"] == reverse("admin:bandits_banditpolicy_changelist")
    made = BanditPolicy.objects.get(version=policy.version + 1)
    assert (made.arms, made.alpha, made.beta, made.half_life_days) == (policy.arms, 1.0, 9.0, None)
    assert (made.explore, made.max_share, made.share_half_life_days) == (0.05, 0.6, 3.0)
    assert (made.created_by, made.reason) == ("boss", "Less of what was")
    assert BanditState.objects.get(policy=made, arm="svd").shown == 2
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor_name) == ("bandits.begin_version", "boss")
    assert (entry.reason, entry.before) == ("Less of what was", {"version": policy.version})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"alpha": "0"}, "alpha is at least 0.000001, not 0."),
        ({"alpha": "1e300"}, "alpha is at most 1,000,000, not 1e+300."),
        (
            {"sharpness": "2"},
            "No bandit can draw on these terms: sharpness must lie above 0 and up to 1, not at",
        ),
        ({"half_life_days": "3651"}, "A half-life is at most 3,650 days, not 3,651."),
        ({"half_life_days": "0.5"}, "A half-life is at least a day, not 0.5."),
        (
            {"explore": "2"},
            "No bandit can draw on these terms: explore must lie between 0 and 1, not at 2.0.",
        ),
        (
            {"max_share": "0"},
            "No bandit can draw on these terms: max_share must lie above 0 and up to 1, not at",
        ),
        ({"keep": "1.5"}, "Of an arm of the policy 0 to 1 can be kept, not 1.5 of"),
        ({"beta": "nan"}, "Enter a number."),
        ({"explore": "inf"}, "Enter a number."),
        ({"explore": "a few"}, "Enter a number."),
        ({"reason": " "}, "This field is required."),
        ({"reason": "x" * 501}, "Ensure this value has at most 500 characters (it has 501)."),
    ],
)
def test_refuses_terms_that_make_no_sense(client: Client, changed: dict[str, str], sentence: str) -> None:
    policy = make_policy()
    answer = send(client, policy, **changed)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert BanditPolicy.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("half_life_days", "0.5", "A half-life is at least a day, not 0.5."),
        ("max_share", "0", "No bandit can draw on these terms: max_share must lie above 0 and up to 1"),
        ("explore", "2", "No bandit can draw on these terms: explore must lie between 0 and 1"),
        ("sharpness", "2", "No bandit can draw on these terms: sharpness must lie above 0 and up to 1"),
    ],
)
def test_a_refusal_stands_beside_its_field(client: Client, name: str, value: str, sentence: str) -> None:
    page = send(client, make_policy(), **{name: value}).content.decode()
    field = page.partition(f'name="{name}"')[2].partition("</label>")[0]
    assert sentence in field


def test_the_same_form_sent_twice_begins_one_version(client: Client) -> None:
    policy = make_policy()
    send(client, policy)
    answer = send(client, policy)
    assert answer.status_code == 400
    made = policy.version + 1
    said = f"Version {made} has begun meanwhile: look at it before you begin another."
    assert said in answer.content.decode()
    assert BanditPolicy.objects.count() == 2


def test_terms_of_an_older_version_begin_in_the_place_of_the_newest(client: Client) -> None:
    older, newest = make_policy(sharpness=0.2), make_policy()
    freeze(version=newest.version, reason="a test", by=None)
    page = client.get(url_of(older, "begin")).content.decode()
    assert f"in the place of version {newest.version}," in page
    assert f"Version {newest.version} is frozen, and the new one stays so" in page
    send(client, older, newest=str(newest.version))
    assert BanditPolicy.objects.get(version=newest.version + 1).frozen


def test_a_refusal_of_no_field_stands_above_the_form() -> None:
    form = BeginForm({})
    add_refusal(form, Conflict("Version 2 of the bandit's policy was begun meanwhile"))
    assert form.non_field_errors() == ["Version 2 of the bandit's policy was begun meanwhile"]


@pytest.mark.parametrize("others", [[], ["bandits.view_banditpolicy", "bandits.change_banditpolicy"]])
def test_who_may_not_begin_a_version_begins_none(client: Client, others: list[str]) -> None:
    policy = make_policy()
    client.force_login(make_staff(permissions=others))
    assert client.get(url_of(policy, "begin")).status_code == 403
    assert send(client, policy).status_code == 403
    assert BanditPolicy.objects.count() == 1
