"""Experiments that pin a recipe: whoever is in one is in none of recipes, and has that recipe's model."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import Conflict
from apps.experiments.assigning import Attributes, Holdout, Placement, Running, place
from apps.experiments.models import Experiment, Phase
from apps.experiments.plans import digest_of, plan_of, planned
from apps.experiments.policy import recipes_in_use
from apps.experiments.services import assign, design_json, design_of, import_designs, override
from tests.callers import bearer
from tests.experiments.setup import (
    make_design,
    make_experiment,
    make_recipe_design,
    make_running,
    make_running_recipes,
    make_version,
)
from tests.experiments.test_admin_acts import body_of, log_in, url
from tests.experiments.test_assigning import TEST
from tests.experiments.test_exchange import document, errors_of
from tests.factories import make_staff

ANYBODY = Attributes(user_segment="regular", language="en", age_days=100.0)
PINNING = replace(TEST, key="pinning", pins_recipe=True)
RECIPES = replace(TEST, key="recipes", kind="recipe", layer_salt="l2", coverage_salt="c2", split_salt="s2")
UNITS = [UUID(int=number) for number in range(500)]

# --- Placing, a pure function ---------------------------------------------------------------------


def placed(unit: str, *experiments: Running, **options: Any) -> dict[str, Placement]:
    return {one.key: one for one in place(unit, ANYBODY, experiments, **options)}


@pytest.mark.parametrize("order", [(PINNING, RECIPES), (RECIPES, PINNING)])
def test_whoever_is_in_one_that_pins_is_in_none_of_recipes(order: tuple[Running, ...]) -> None:
    found = placed("unit", *order)
    assert (found["pinning"].is_in, found["pinning"].counted) == (True, True)
    assert (found["recipes"].variant, found["recipes"].counted) == (None, False)
    assert found["recipes"].reason == "in pinning, which pins the recipe"
    assert list(found) == [one.key for one in order], "in the order given"


def test_whoever_is_not_in_it_is_where_they_were() -> None:
    nobody = replace(PINNING, coverage=0.0)
    assert placed("unit", nobody, RECIPES)["recipes"] == placed("unit", RECIPES)["recipes"]


def test_one_that_pins_nothing_is_in_nobodys_way() -> None:
    found = placed("unit", TEST, RECIPES)
    assert all(one.is_in for one in found.values())


def test_the_hand_that_puts_into_recipes_comes_before_the_pin() -> None:
    by_hand = replace(RECIPES, coverage=0.0, overrides={"unit": "treatment"})
    found = placed("unit", PINNING, by_hand)
    assert (found["recipes"].variant, found["recipes"].counted) == ("treatment", False)
    assert (found["pinning"].variant, found["pinning"].counted) == (None, False)
    said = "put by hand into recipes, which decides the recipe that this one pins"
    assert found["pinning"].reason == said
    assert placed("another", PINNING, by_hand)["pinning"].is_in


def test_put_by_hand_into_one_that_pins_it_pins_too() -> None:
    by_hand = replace(PINNING, coverage=0.0, overrides={"unit": "control"})
    found = placed("unit", by_hand, RECIPES, holdout=Holdout("held", 0.0))
    assert (found["pinning"].variant, found["pinning"].counted) == ("control", False)
    assert found["recipes"].reason == "in pinning, which pins the recipe"


def test_put_by_hand_into_both_recipes_decide() -> None:
    hand = {"unit": "treatment"}
    found = placed("unit", replace(PINNING, overrides=hand), replace(RECIPES, overrides=hand))
    assert (found["pinning"].variant, found["recipes"].variant) == (None, "treatment")


SHARES = st.floats(0, 1)


@given(
    units=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=30),
    coverage=SHARES,
    split=SHARES,
    start=SHARES,
    held=st.floats(0, 0.5),
    by_hand=st.sampled_from([(), ("pinning",), ("recipes",), ("pinning", "recipes")]),
)
def test_nobody_ever_counts_for_a_recipe_that_they_do_not_get(
    units: list[str], coverage: float, split: float, start: float, held: float, by_hand: tuple[str, ...]
) -> None:
    low, high = sorted((start, coverage))
    hand = dict.fromkeys(units[: len(units) // 2], "treatment")
    pinning = replace(
        PINNING, start=low, end=high, coverage=coverage, overrides=hand if "pinning" in by_hand else {}
    )
    recipes = replace(
        RECIPES,
        coverage=split,
        weights={"control": split, "treatment": 1 - split},
        overrides=hand if "recipes" in by_hand else {},
    )
    for unit in units:
        found = placed(unit, pinning, recipes, holdout=Holdout("held", held))
        assert not (found["pinning"].is_in and found["recipes"].is_in)
        alone = placed(unit, recipes, holdout=Holdout("held", held))["recipes"]
        assert found["recipes"].is_in == (alone.is_in and not found["pinning"].is_in)
        assert all(one.reason for one in found.values())
        if unit in recipes.overrides:
            assert found["recipes"].is_in


# --- Serving --------------------------------------------------------------------------------------

served = pytest.mark.usefixtures("servable")


@served
@pytest.mark.django_db
def test_the_pinned_recipe_serves_whatever_else_runs() -> None:
    make_version("pinned")
    make_running("pinning", pinned_recipe="pinned", range_end=0.5)
    make_running_recipes("recipes", recipes=["standard", "wide"])
    found = {unit: assign(unit) for unit in UNITS}
    inside = [one for one in found.values() if any(each.experiment_key == "pinning" for each in one.served)]
    outside = [one for one in found.values() if one not in inside]
    assert 180 < len(inside) < 320
    assert {one.recipe for one in inside} == {"pinned"}
    assert all(len(one.served) == 1 for one in inside)
    assert {one.recipe for one in outside} == {"standard", "wide"}
    assert recipes_in_use() == {"standard", "wide", "pinned"}


@served
@pytest.mark.django_db
def test_whoever_is_put_by_hand_into_recipes_gets_what_they_were_put_into(boss: User) -> None:
    make_version("pinned")
    make_running("pinning", pinned_recipe="pinned")
    make_running_recipes("recipes", recipes=["standard", "wide"])
    override(key="recipes", unit_key=UNITS[0], variant="wide", by=boss, reason="a look")
    assert assign(UNITS[0]).recipe == "wide"
    assert [one.experiment_key for one in assign(UNITS[0]).served] == ["recipes"]
    assert assign(UNITS[1]).recipe == "pinned"


@served
@pytest.mark.django_db
def test_other_variants_of_one_that_pins_are_compared_by_its_recipe() -> None:
    make_version("pinned")
    make_running("pinning", pinned_recipe="pinned", only_differing=True)
    assert {one.recipe for unit in UNITS[:20] for one in assign(unit).others} == {"pinned"}


# --- Setting it up --------------------------------------------------------------------------------


@served
@pytest.mark.django_db
def test_the_form_takes_a_recipe_that_there_is_and_shows_it_again(client: Client) -> None:
    make_version("pinned")
    log_in(client, "experiments.add_experiment", "experiments.change_experiment")
    address, design = reverse("admin:experiments_experiment_add"), make_design("first")
    assert '<option value="pinned">pinned</option>' in client.get(address).content.decode()
    answer = client.post(address, body_of(design, pinned_recipe="nobody"))
    assert answer.status_code == 400
    assert "Select a valid choice. nobody is not one of the available choices." in answer.content.decode()
    assert client.post(address, body_of(design, pinned_recipe="pinned")).status_code == 302
    assert design_of(Experiment.objects.get()).pinned_recipe == "pinned"
    page = client.get(url("design", "first")).content.decode()
    assert '<option value="pinned" selected>pinned</option>' in page


@served
@pytest.mark.django_db
def test_the_form_pins_nothing_where_variants_name_recipes(client: Client) -> None:
    make_version("wide")
    log_in(client, "experiments.add_experiment")
    design = make_recipe_design("first", recipes=["standard", "wide"])
    body = body_of(design, pinned_recipe="wide") | {
        f"variant-{number}-recipe": one.recipe for number, one in enumerate(design.variants)
    }
    answer = client.post(reverse("admin:experiments_experiment_add"), body)
    assert answer.status_code == 400
    assert "Variants name the recipes here: pin none." in answer.content.decode()


@pytest.mark.django_db
def test_a_pin_is_exported_imported_and_told_by_the_api(client: Client, servable: None) -> None:
    make_version("pinned")
    design = make_design("first", pinned_recipe="pinned")
    assert design_json(design)["pinned_recipe"] == "pinned"
    import_designs(document(design), by=None)
    assert design_of(Experiment.objects.get()) == design
    headers = dict(bearer(make_staff(permissions=["experiments.view_experiment"])).headers)
    told = client.get("/api/v1/experiments/first", headers=headers).json()
    assert told["design"]["pinned_recipe"] == "pinned"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"pinned_recipe": "no slug"}, "/pinned_recipe", "A recipe's name has "),
        ({"pinned_recipe": 3}, "/pinned_recipe", "Give "),
        ({"purpose": "win"}, "/purpose", "Choose a purpose: compare, rollout, timed_rollout."),
        ({"purpose": "rollout"}, "/purpose", "A rollout is of recipes, with a control and the recipe"),
    ],
)
def test_an_import_refuses_what_does_not_fit(changes: dict[str, Any], pointer: str, said: str) -> None:
    ((found, detail),) = errors_of(document(make_design("first"), **changes))
    assert found == f"/experiments/0{pointer}"
    assert detail.startswith(said)


@pytest.mark.django_db
def test_an_import_refuses_a_pin_of_a_recipe_that_does_not_exist() -> None:
    make_version("wide")
    given = document(make_design("first"), pinned_recipe="nope")
    said = "There is no recipe 'nope'; the recipes are: wide."
    assert errors_of(given) == [("/experiments/0/pinned_recipe", said)]
    assert not Experiment.objects.exists()


@pytest.mark.django_db
def test_a_pin_of_a_recipe_that_does_not_exist_is_refused_at_the_start(servable: None) -> None:
    said = r"Nothing can be pinned: There is no recipe 'nobody'; the recipes are: "
    with pytest.raises(Conflict, match=said):
        make_running("pinning", pinned_recipe="nobody")


# --- Plans of before ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_plan_of_before_keeps_its_digest_and_one_that_pins_has_another(servable: None) -> None:
    plan = planned(make_experiment("plain"))
    assert not {"purpose", "pinned_recipe"} & plan.as_json().keys()
    # Frozen by the program of before there were pins, with the digest that it wrote.
    stored = {
        "kind": "strategy",
        "range_start": 0.0,
        "range_end": 1.0,
        "min_effect": 0.05,
        "alpha": 0.05,
        "power": 0.8,
        "test": "sequential",
        "horizon_days": 28,
        "only_differing": False,
        "dry_run": False,
        "planned_units": None,
        "goals": ["ctr"],
        "guardrails": {},
        "targeting": {"segments": [], "languages": [], "age_from": None, "age_to": None},
        "variants": [],
        "steps": [{"coverage": 1.0, "hours": 0.0, "units": 0, "approval": False}],
    }
    read = plan_of(Phase(plan=stored))
    assert (read.purpose, read.pinned_recipe) == ("compare", "")
    assert read.as_json() == stored
    assert read.digest == digest_of(stored)
    assert read.digest == "593aeb63a1c3d5e0a68a2f6e7d333668c3da52f4827cc1bcc584f8a91e7b7de8"
    for changed in (replace(plan, pinned_recipe="wide"), replace(plan, purpose="rollout")):
        assert changed.digest != plan.digest
        assert plan_of(Phase(plan=changed.as_json())) == changed
