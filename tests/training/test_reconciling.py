"""The bandit is told when an arm is fitted with something else."""

import pytest

from apps.bandits.models import BanditPolicy
from apps.bandits.services import current_bandit
from apps.catalog.models import Movie
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import forget_policy
from apps.training.models import ModelVersion, Recipe
from apps.training.services import reconcile_bandits, train
from apps.training.services.reconciling import digests_of
from apps.training.tasks import sweep
from tests.fitting import fit_beside

pytestmark = pytest.mark.django_db

ARMS = ("svd", "als")


@pytest.fixture(autouse=True)
def standard_serves(db: None) -> None:
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "standard"})
    forget_policy()


def begun() -> list[str]:
    return list(BanditPolicy.objects.order_by("version").values_list("reason", flat=True))


def test_a_refit_of_the_same_recipe_changes_nothing(films: list[Movie]) -> None:
    train()
    current_bandit(ARMS)
    assert reconcile_bandits() == []
    train()
    assert reconcile_bandits() == []
    assert begun() == ["These arms serve for the first time"]


def test_a_refit_with_other_parameters_of_an_arm_begins_a_version(films: list[Movie]) -> None:
    train()
    current_bandit(ARMS)
    reconcile_bandits()
    Recipe.objects.filter(name="standard").update(parameters={"svd": {"factors": 3}})
    assert reconcile_bandits() == [], "what serves is still the fit of before"
    train()
    sweep()
    assert begun()[1:] == ["What is fitted for svd changed"]
    sweep()
    assert len(begun()) == 2


def test_another_recipe_in_the_serving_policy_begins_one_too(films: list[Movie]) -> None:
    train()
    current_bandit(ARMS)
    reconcile_bandits()
    Recipe.objects.create(name="wide", parameters={"als": {"factors": 3}, "svd": {"factors": 3}})
    fit_beside("wide")
    ServingPolicy.objects.update_or_create(pk=1, defaults={"strategy": {}, "recipe": "wide"})
    forget_policy()
    reconcile_bandits()
    assert begun()[1:] == ["What is fitted for als, svd changed"]


def test_a_version_of_which_no_parameters_are_kept_says_nothing(films: list[Movie]) -> None:
    train()
    current_bandit(ARMS)
    reconcile_bandits()
    ModelVersion.objects.update(parameters={})
    assert reconcile_bandits() == []


def test_an_arm_changes_with_those_that_it_is_made_of() -> None:
    before = digests_of({"hybrid": {}, "svd": {}, "sequence": {}, "content": {}, "als": {}})
    after = digests_of({"hybrid": {}, "svd": {"factors": 3}, "sequence": {}, "content": {}, "als": {}})
    assert {name for name in before if before[name] != after[name]} == {"hybrid", "svd"}
