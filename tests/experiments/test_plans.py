"""What a phase is frozen to: the same as JSON and back, and known by its digest."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.experiments.models import Experiment, Phase
from apps.experiments.plans import Plan, digest_of, plan_of, planned
from apps.experiments.ramping import Step
from tests.experiments.setup import make_design, make_experiment, make_recipe_design, make_running

pytestmark = pytest.mark.django_db

FULL: dict[str, Any] = {
    "range_start": 0.1,
    "range_end": 0.7,
    "segments": ("regular", "cold"),
    "languages": ("en", "de"),
    "age_from_days": 7,
    "age_to_days": 365,
    "goals": ("ctr", "novelty"),
    "guardrails": {"ctr": 0.1, "empty_rate": 1},
    "ramp": ({"coverage": 0.1, "hours": 24}, {"coverage": 1, "units": 100, "approval": True}),
    "only_differing": True,
}


@pytest.fixture
def plan() -> Plan:
    return planned(make_experiment("full", **FULL))


def read_back(plan: Plan) -> Plan:
    return plan_of(Phase(plan=json.loads(json.dumps(plan.as_json()))))


def test_a_plan_says_what_the_rows_say(plan: Plan) -> None:
    assert (plan.kind, plan.range_start, plan.range_end, plan.goals) == ("strategy", 0.1, 0.7, FULL["goals"])
    assert plan.weights == {"control": 0.5, "treatment": 0.5}
    assert (plan.control.name, plan.variant("treatment").recipe) == ("control", None)
    assert plan.targeting.segments == {"regular", "cold"}
    assert plan.steps == (Step(0.1, hours=24.0), Step(1.0, units=100, approval=True))
    with pytest.raises(KeyError):
        plan.variant("another")


def test_a_plan_read_back_is_the_same(plan: Plan) -> None:
    assert read_back(plan) == plan
    assert read_back(plan).digest == plan.digest


def test_a_plan_of_recipes_read_back_is_the_same() -> None:
    variants = make_recipe_design(recipes=["standard", "wide"]).variants
    plan = planned(make_experiment("recipes", layer="recipe", variants=variants))
    assert read_back(plan) == plan
    assert (plan.kind, plan.variant("wide").recipe, plan.variant("wide").strategy) == ("recipe", "wide", None)


def test_the_control_comes_first_and_the_order_of_rows_says_nothing() -> None:
    one, other = make_design("one").variants
    plans = [
        planned(make_experiment(key, variants=variants))
        for key, variants in {"forth": (one, other), "back": (other, one)}.items()
    ]
    assert plans[0] == plans[1]
    assert [variant.name for variant in plans[1].variants] == ["control", "treatment"]


def test_the_digest_is_that_of_the_content_not_of_its_order_or_kind_of_number(plan: Plan) -> None:
    said = plan.as_json()
    turned = {key: said[key] for key in reversed(said)}
    assert digest_of(turned) == plan.digest
    whole = said | {"horizon_days": 28.0, "range_start": 0.1, "guardrails": {"empty_rate": 1, "ctr": 0.1}}
    assert digest_of(whole) == plan.digest
    assert digest_of(said | {"range_start": -0.0}) == digest_of(said | {"range_start": 0})
    assert digest_of(said | {"only_differing": 1}) != plan.digest, "true is no number"


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "kind": lambda plan: replace(plan, kind="recipe"),
    "range": lambda plan: replace(plan, range_end=0.71),
    "segment": lambda plan: replace(plan, targeting=replace(plan.targeting, segments=frozenset({"cold"}))),
    "age": lambda plan: replace(plan, targeting=replace(plan.targeting, age_to=None)),
    "weights": lambda plan: replace(plan, variants=(replace(plan.control, weight=0.4), *plan.variants[1:])),
    "name": lambda plan: replace(plan, variants=(replace(plan.control, name="old"), *plan.variants[1:])),
    "strategy": lambda plan: replace(
        plan, variants=(plan.control, replace(plan.variants[1], strategy=plan.control.strategy))
    ),
    "order of goals": lambda plan: replace(plan, goals=plan.goals[::-1]),
    "guardrail": lambda plan: replace(plan, guardrails={"ctr": 0.1}),
    "effect": lambda plan: replace(plan, min_effect=0.051),
    "alpha": lambda plan: replace(plan, alpha=0.01),
    "power": lambda plan: replace(plan, power=0.9),
    "test": lambda plan: replace(plan, test="any_time"),
    "horizon": lambda plan: replace(plan, horizon_days=14),
    "step": lambda plan: replace(plan, steps=(replace(plan.steps[0], hours=25.0), *plan.steps[1:])),
    "differing": lambda plan: replace(plan, only_differing=False),
    "dry run": lambda plan: replace(plan, dry_run=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_of_a_plan_is_another_digest(plan: Plan, change: Callable[[Plan], Plan]) -> None:
    assert change(plan).digest != plan.digest
    assert read_back(change(plan)) == change(plan)


def test_what_the_database_gives_back_has_the_digest_that_was_written(servable: None) -> None:
    experiment = make_running("full", **FULL | {"min_effect": 0.00123, "age_from_days": 0})
    phase = Phase.objects.get(experiment=experiment)
    assert digest_of(phase.plan) == phase.digest == plan_of(phase).digest
    assert planned(Experiment.objects.get(pk="full")).digest == phase.digest
