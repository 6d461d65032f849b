import pytest
from django.test import Client
from django.urls import reverse

from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import current_policy
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

POLICY = "admin:experiments_servingpolicy_change"


@pytest.fixture
def steering(client: Client) -> Client:
    permissions = ("experiments.view_servingpolicy", "experiments.change_servingpolicy")
    client.force_login(make_staff(username="boss", permissions=permissions))
    return client


def save(client: Client, strategy: str, *, seen_version: int = 1) -> str:
    """The page that follows on saving the policy, as text."""
    form = {
        "strategy": strategy,
        "recipe": "standard",
        "reason": "Two arms",
        "seen_version": seen_version,
    }
    return client.post(reverse(POLICY, args=[1]), form, follow=True).content.decode()


def test_a_change_serves_and_goes_into_the_audit_by_its_new_version(steering: Client) -> None:
    page = save(steering, '{"policy": "fixed", "arms": {"item_cf": 0.7, "popular": 0.3}}')
    assert "The new policy serves everybody within two seconds." in page
    assert "serving policy, version 2</a>” was changed" in page
    assert (current_policy().version, current_policy().strategy.arms) == (2, ("item_cf", "popular"))
    assert AuditEntry.objects.get(action="policy.change").actor_name == "boss"


@pytest.mark.parametrize(
    ("strategy", "detail"),
    [
        ('{"arms": {"item_cf": 0.7, "popular": 0.5}}', "/arms: Make the weights sum to 1; they sum to 1.2."),
        ('{"policy": "bandit", "arms": ["svd", "als"]}', "No bandit runs on this site yet"),
        ("no json", "Enter a valid JSON."),
    ],
)
def test_a_policy_that_cannot_serve_is_refused(steering: Client, strategy: str, detail: str) -> None:
    assert detail in save(steering, strategy)
    assert ServingPolicy.objects.get().version == 1


def test_two_who_change_the_policy_at_once_do_not_overwrite_each_other(steering: Client) -> None:
    save(steering, '{"arms": {"svd": 1}}')
    page = save(steering, '{"arms": {"als": 1}}', seen_version=1)
    assert "The policy was changed meanwhile: it is at version 2, not 1." in page
    assert current_policy().strategy.arms == ("svd",)
