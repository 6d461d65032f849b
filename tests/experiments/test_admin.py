import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.errors import InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import current_policy
from apps.experiments.services import change_policy
from apps.training.models import ModelVersion, Recipe
from tests.experiments.setup import make_version
from tests.factories import make_staff
from tests.house import House
from tests.pages.conftest import house, nothing_kept

__all__ = ["house", "nothing_kept"]

pytestmark = pytest.mark.django_db

POLICY = "admin:experiments_servingpolicy_change"


@pytest.fixture
def steering(client: Client, house: House) -> Client:
    permissions = ("experiments.view_servingpolicy", "experiments.change_servingpolicy")
    client.force_login(make_staff(username="boss", permissions=permissions))
    return client


def save(client: Client, strategy: str, *, seen_version: int = 1, recipe: str = "standard") -> Any:
    """The page that follows on saving the policy."""
    form = {
        "strategy": strategy,
        "recipe": recipe,
        "reason": "Two arms",
        "seen_version": seen_version,
    }
    return client.post(reverse(POLICY, args=[1]), form, follow=True)


def test_a_change_serves_and_goes_into_the_audit_by_its_new_version(steering: Client) -> None:
    page = save(steering, '{"policy": "fixed", "arms": {"item_cf": 0.7, "popular": 0.3}}').content.decode()
    assert "The new policy serves everybody within two seconds." in page
    assert "serving policy, version 2</a>” was changed" in page
    assert (current_policy().version, current_policy().strategy.arms) == (2, ("item_cf", "popular"))
    assert AuditEntry.objects.get(action="policy.change").actor_name == "boss"


@pytest.mark.parametrize(
    ("strategy", "detail"),
    [
        ('{"arms": {"item_cf": 0.7, "popular": 0.5}}', "/arms: Make the weights sum to 1; they sum to 1.2."),
        ('{"policy": "bandit", "arms": ["svd"]}', "/arms: Give a list of two or more arms."),
        ("no json", "This text is not JSON that can be read: "),
        ("[" * 50_000, "This text is not JSON that can be read: depth limit exceeded"),
        ("[" * 900 + "]" * 900, "Lists and objects can be nested 50 levels deep, not more."),
    ],
)
def test_a_policy_that_cannot_serve_is_refused(steering: Client, strategy: str, detail: str) -> None:
    assert detail in save(steering, strategy).content.decode()
    assert ServingPolicy.objects.get().version == 1


def test_two_who_change_the_policy_at_once_do_not_overwrite_each_other(steering: Client) -> None:
    save(steering, '{"arms": {"svd": 1}}')
    page = save(steering, '{"arms": {"als": 1}}', seen_version=1).content.decode()
    assert "The policy was changed meanwhile: it is at version 2, not 1." in page
    assert current_policy().strategy.arms == ("svd",)


def test_the_recipe_is_chosen_from_those_there_are(steering: Client) -> None:
    Recipe.objects.create(name="wide")
    page = steering.get(reverse(POLICY, args=[1]))
    field = page.context["adminform"].form.fields["recipe"]
    assert [value for value, _ in field.widget.choices] == ["standard", "wide"]


HYBRID = '{"arms": {"hybrid": 1}}'


@pytest.mark.parametrize(
    ("recipe", "detail"),
    [
        ("standrad", "There is no recipe 'standrad'; the recipes are: new, standard."),
        (
            "new",
            "Recipe 'new' has no trained version yet: train it first (manage.py train --recipe new).",
        ),
    ],
)
def test_a_recipe_that_cannot_serve_is_refused_at_its_field(
    steering: Client, recipe: str, detail: str
) -> None:
    Recipe.objects.create(name="new")
    page = save(steering, HYBRID, recipe=recipe)
    assert page.context["adminform"].form.errors == {"recipe": [detail]}
    with pytest.raises(InvalidInput, match=f"^{re.escape(detail)}$") as refusal:
        change_policy(strategy={"arms": {"hybrid": 1}}, recipe=recipe, reason="a test", by=make_staff())
    assert [error.pointer for error in refusal.value.errors] == ["/recipe"]
    assert current_policy().version == 1


def test_a_live_version_that_cannot_be_loaded_is_refused(steering: Client, settings: Any) -> None:
    live = ModelVersion.objects.get()
    Path(settings.ARTIFACT_DIR, live.artifact, "films.ids.npy").unlink()
    page = save(steering, HYBRID)
    said = (
        "The live version of recipe 'standard' cannot be loaded (missing):"
        " train it again (manage.py train --recipe standard)."
    )
    assert page.context["adminform"].form.errors == {"recipe": [said]}


@pytest.mark.parametrize(
    ("held", "field", "asker", "asked"),
    [
        (["hybrid", "popular"], "strategy", "the strategy", "svd"),
        (["popular", "svd"], "recipe", "a row of the pages", "hybrid"),
    ],
)
def test_a_version_without_an_arm_that_is_asked_for_is_refused(
    steering: Client, held: list[str], field: str, asker: str, asked: str
) -> None:
    make_version("small", held)
    page = save(steering, '{"arms": {"svd": 1}}', recipe="small")
    said = (
        f"The live version of recipe 'small' has only {', '.join(held)}, and {asker} asks for {asked}:"
        " train it again (manage.py train --recipe small)."
    )
    assert page.context["adminform"].form.errors == {field: [said]}
