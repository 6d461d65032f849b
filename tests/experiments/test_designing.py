"""Setting up an experiment, and changing it: what is refused, and what begins a new phase."""

import re
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core.errors import Conflict, FieldError, InvalidInput, NotFound
from apps.core.models import AuditEntry
from apps.experiments.metrics import GOALS, METRICS
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.services import (
    Design,
    VariantDesign,
    change_experiment,
    check_design,
    create_experiment,
    delete_experiment,
    design_of,
    pause,
    start,
    stop,
)
from tests.experiments.setup import (
    HYBRID,
    POPULAR,
    make_design,
    make_experiment,
    make_recipe_design,
    make_running,
)

pytestmark = pytest.mark.django_db

RANGE = "A range goes from 0 to 1, and ends above where it starts."
ONE_GOAL = f"Name one goal or more, each once, of: {', '.join(GOALS)}."
ONE_STRATEGY = "Of strategies a variant has one, and no recipe."
LANGUAGE = "A language is two or three small letters such as en"
SLUG = "up to 60 letters, digits, hyphens and underscores"
TWO = make_design().variants
BANDIT = {"policy": "bandit", "arms": ["hybrid", "popular"], "slots": 1, "diversity": 0.0}


def variants(*changes: dict[str, Any]) -> tuple[VariantDesign, ...]:
    """Control and treatment with these changes."""
    pairs = zip(TWO, [*changes, {}, {}], strict=False)
    return tuple(replace(one, **change) for one, change in pairs)


def errors_of(design: Design) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        check_design(design)
    assert refusal.value.detail == refusal.value.errors[0].detail
    return [(error.pointer, error.detail) for error in refusal.value.errors]


@pytest.mark.parametrize(
    ("values", "pointer", "detail"),
    [
        ({"key": "a b"}, "/key", f"A key has {SLUG}."),
        ({"key": "a" * 61}, "/key", f"A key has {SLUG}."),
        ({"name": "a" * 121}, "/name", "A name has up to 120 letters."),
        ({"layer": "rows"}, "/layer", "Choose a layer: strategy, recipe."),
        ({"range_start": -0.1}, "/range_end", RANGE),
        ({"range_end": 1.1}, "/range_end", RANGE),
        ({"range_start": 0.5, "range_end": 0.5}, "/range_end", RANGE),
        ({"segments": ("new",)}, "/segments", "There is no segment 'new': cold, regular, power."),
        ({"languages": ("de", "EN")}, "/languages", f"{LANGUAGE}, not 'EN'."),
        ({"languages": ("de-AT",)}, "/languages", f"{LANGUAGE}, not 'de-AT'."),
        ({"age_from_days": -1.0}, "/age_from_days", "An age is a number of days from 0."),
        ({"age_to_days": float("nan")}, "/age_from_days", "An age is a number of days from 0."),
        (
            {"age_from_days": 8.0, "age_to_days": 7.0},
            "/age_to_days",
            "The highest age is not below the lowest.",
        ),
        ({"goals": ()}, "/goals", ONE_GOAL),
        ({"goals": ("ctr", "ctr")}, "/goals", ONE_GOAL),
        ({"goals": ("latency_p95",)}, "/goals", ONE_GOAL),
        ({"guardrails": {"profit": 0.1}}, "/guardrails/profit", f"Choose of: {', '.join(METRICS)}."),
        ({"guardrails": {"ctr": 0}}, "/guardrails/ctr", "A margin lies above 0 and up to 1."),
        ({"guardrails": {"ctr": True}}, "/guardrails/ctr", "A margin lies above 0 and up to 1."),
        ({"min_effect": 0.0}, "/min_effect", "This lies between 0.001 and 10."),
        ({"alpha": 0.5}, "/alpha", "This lies between 0.001 and 0.2."),
        ({"power": 1.0}, "/power", "This lies between 0.5 and 0.99."),
        ({"test": "peeking"}, "/test", "Choose a test: any_time, planned."),
        ({"horizon_days": 0}, "/horizon_days", "A horizon is 1 to 365 days."),
        ({"ramp": ({"coverage": 0},)}, "/ramp/0/coverage", "Coverage lies above 0 and up to 1."),
    ],
)
def test_a_design_that_is_none_is_refused(values: dict[str, Any], pointer: str, detail: str) -> None:
    assert errors_of(make_design(**{"key": "test", **values})) == [(pointer, detail)]


@pytest.mark.parametrize(
    ("given", "pointer", "detail"),
    [
        (TWO[:1], "/variants", "An experiment has 2 to 10 variants."),
        (variants({}, {"name": "control"}), "/variants", "Each variant has a name of its own."),
        (variants({"name": ""}), "/variants/0/name", f"A variant's name has {SLUG}."),
        (variants({"name": "a.b"}), "/variants/0/name", f"A variant's name has {SLUG}."),
        (
            variants({"description": "a" * 201}),
            "/variants/0/description",
            "A description has up to 200 letters.",
        ),
        (variants({"is_control": False}), "/variants", "One variant is the control, and only one."),
        (variants({}, {"is_control": True}), "/variants", "One variant is the control, and only one."),
        (variants({"weight": 1.5}), "/variants", "A weight lies between 0 and 1."),
        (variants({"weight": float("nan")}), "/variants", "A weight lies between 0 and 1."),
        (variants({"weight": 0.6}), "/variants", "Make the weights sum to 1; they sum to 1.1."),
        (variants({"strategy": None}), "/variants/0/strategy", ONE_STRATEGY),
        (variants({"recipe": "wide"}), "/variants/0/strategy", ONE_STRATEGY),
        (
            variants({}, {"strategy": POPULAR | {"diversity": 2}}),
            "/variants/1/strategy/diversity",
            "Give a number from 0 to 1.",
        ),
    ],
)
def test_variants_that_are_none_are_refused(
    given: tuple[VariantDesign, ...], pointer: str, detail: str
) -> None:
    weighed = given if len(given) > 1 else variants({"weight": 1.0})[:1]
    assert errors_of(make_design(variants=weighed)) == [(pointer, detail)]


def test_of_recipes_a_variant_names_one_and_no_strategy() -> None:
    design = make_recipe_design(recipes=["standard", "wide"])
    check_design(design)
    said = "Of recipes a variant names one, and no strategy."
    bad = (replace(design.variants[0], recipe=""), replace(design.variants[1], strategy=HYBRID))
    assert errors_of(replace(design, variants=bad)) == [
        ("/variants/0/recipe", said),
        ("/variants/1/recipe", said),
    ]


def test_all_that_is_wrong_is_said_at_once(boss: User) -> None:
    design = make_design(
        "a b", goals=("profit",), alpha=0.9, ramp=({"coverage": 2},), variants=variants({"weight": 0.9})
    )
    pointers = [pointer for pointer, _ in errors_of(design)]
    assert pointers == ["/key", "/variants", "/goals", "/alpha", "/ramp/0/coverage"]
    with pytest.raises(InvalidInput):
        create_experiment(design=design, by=boss)
    assert not Experiment.objects.exists()


def test_what_is_created_reads_back_as_it_was_said(boss: User) -> None:
    design = make_design(
        "test", hypothesis="More clicks", segments=("cold",), ramp=({"coverage": 0.2, "hours": 24},)
    )
    experiment = create_experiment(design=design, by=boss)
    assert (experiment.state, experiment.version, experiment.created_by) == ("draft", 1, "boss")
    assert design_of(Experiment.objects.get()) == design
    entry = AuditEntry.objects.get(action="experiments.create")
    assert (entry.actor_name, entry.target_id, entry.after["segments"]) == ("boss", "test", ["cold"])


def test_a_key_that_is_taken_is_refused(boss: User) -> None:
    make_experiment("test")
    with pytest.raises(Conflict, match=r"^There is an experiment 'test' already: choose another key\.$"):
        create_experiment(design=make_design("test", name="Another"), by=boss)
    assert Experiment.objects.get().name == "Test test"


def change(key: str, boss: User, expected_version: int | None = None, **values: Any) -> Experiment:
    design = replace(design_of(Experiment.objects.get(pk=key)), **values)
    return change_experiment(design=design, by=boss, reason="Better so", expected_version=expected_version)


def test_a_draft_changes_without_a_phase(boss: User) -> None:
    make_experiment("test")
    changed = change("test", boss, goals=("novelty",), variants=variants({"weight": 0.2}, {"weight": 0.8}))
    assert (changed.version, changed.goals) == (2, ["novelty"])
    assert dict(changed.variants.values_list("name", "weight")) == {"control": 0.2, "treatment": 0.8}
    assert not Phase.objects.exists()
    entry = AuditEntry.objects.get(action="experiments.change")
    assert (entry.before["goals"], entry.after["goals"], entry.reason) == (["ctr"], ["novelty"], "Better so")


def test_a_change_of_one_that_runs_begins_a_new_phase(servable: None, boss: User) -> None:
    make_running("test", ramp=({"coverage": 0.2}, {"coverage": 1}))
    change("test", boss, goals=("novelty",))
    first, second = Phase.objects.order_by("number")
    assert (first.ended_at, second.ended_at) == (second.started_at, None)
    assert (first.plan["goals"], second.plan["goals"]) == (["ctr"], ["novelty"])
    assert (second.reason, second.begun_by) == ("Better so", "boss")
    entry = Decision.objects.order_by("pk").last()
    assert entry is not None
    assert (entry.kind, entry.phase, entry.step, entry.by) == ("phase", 2, 0, "boss")


def test_a_split_stays_where_the_variants_stay(servable: None, boss: User) -> None:
    make_running("test")
    change("test", boss, goals=("novelty",))
    change("test", boss, variants=variants({"description": "As it was"}))
    change("test", boss, variants=variants({"weight": 0.4}, {"weight": 0.6}))
    change("test", boss, horizon_days=14)
    salts = list(Phase.objects.order_by("number").values_list("split_salt", flat=True))
    assert (len(salts), len(set(salts))) == (4, 2)
    assert salts[0] == salts[1] != salts[2] == salts[3]


def test_a_new_strategy_of_a_variant_draws_the_split_anew(servable: None, boss: User) -> None:
    make_running("test")
    change("test", boss, variants=variants({}, {"strategy": POPULAR | {"diversity": 0.2}}))
    one, other = Phase.objects.values_list("split_salt", flat=True)
    assert one != other


@pytest.mark.parametrize(
    ("values", "version"),
    [
        ({"name": "A better name"}, 3),
        ({"hypothesis": "Another"}, 3),
        ({"ramp": ({"coverage": 1, "hours": 0},)}, 3),
        ({"age_from_days": 7}, 2),
        ({}, 2),
    ],
    ids=str,
)
def test_what_says_nothing_new_begins_no_phase(
    servable: None, boss: User, values: dict[str, Any], version: int
) -> None:
    """Be it a number 7 in the place of 7.0. What changes nothing at all goes into no audit either."""
    make_running("test", age_from_days=7.0)
    assert change("test", boss, **values).version == version
    assert Phase.objects.count() == 1
    entries = AuditEntry.objects.filter(action="experiments.change")
    assert [set(entry.after) for entry in entries] == ([set(values)] if version == 3 else [])


def test_of_one_that_is_paused_a_change_begins_a_phase_that_waits(servable: None, boss: User) -> None:
    make_running("test")
    pause(key="test", by=boss, reason="A look")
    assert change("test", boss, goals=("novelty",)).state == "paused"
    assert Phase.objects.filter(ended_at=None).get().number == 2


def test_a_change_does_not_take_the_range_of_another(servable: None, boss: User) -> None:
    make_running("low", range_end=0.5)
    make_running("high", range_start=0.5)
    said = (
        "^Test low cannot change: Test high has 0.5 to 1 of the layer, and both would have 0.5 to 0.6:"
        " choose a range beside it, or end it first.$"
    )
    with pytest.raises(Conflict, match=said):
        change("low", boss, range_end=0.6)
    assert Phase.objects.filter(experiment="low").count() == 1
    assert Experiment.objects.get(pk="low").range_end == 0.5


def test_a_change_to_what_cannot_serve_is_refused(servable: None, boss: User) -> None:
    make_running("test", only_differing=True)
    said = (
        "Test test cannot change: Variant treatment cannot serve: The live version of recipe 'standard' has"
        " only hybrid, item_cf, popular, svd, and the strategy asks for als: train it again (manage.py train"
        " --recipe standard). Lists of control are drawn by chance, so none can be said to be the same: count"
        " every list."
    )
    with pytest.raises(Conflict, match=f"^{re.escape(said)}$"):
        change("test", boss, variants=variants({"strategy": BANDIT}, {"strategy": {"arms": {"als": 1}}}))
    assert Phase.objects.count() == 1


def test_two_who_change_it_at_once_do_not_overwrite_each_other(boss: User) -> None:
    make_experiment("test")
    change("test", boss, expected_version=1, name="First")
    said = r"^First was changed meanwhile: it is at version 2, not 1\. Look at it again\.$"
    with pytest.raises(Conflict, match=said):
        change("test", boss, expected_version=1, name="Second")
    assert Experiment.objects.get().name == "First"


def test_an_edit_of_a_draft_that_was_started_meanwhile_is_refused(servable: None, boss: User) -> None:
    make_experiment("test")
    start(key="test", by=boss, reason="a test")
    said = r"^Test test was changed meanwhile: it is at version 2, not 1\. Look at it again\.$"
    with pytest.raises(Conflict, match=said):
        change("test", boss, expected_version=1, goals=("novelty",))
    assert Phase.objects.get().plan["goals"] == ["ctr"]


def test_a_start_of_what_was_changed_meanwhile_is_refused(servable: None, boss: User) -> None:
    make_experiment("test")
    change("test", boss, goals=("novelty",))
    said = r"^Test test was changed meanwhile: it is at version 2, not 1\. Look at it again\.$"
    with pytest.raises(Conflict, match=said):
        start(key="test", by=boss, expected_version=1)
    assert Experiment.objects.get().state == "draft"


def test_what_has_ended_and_the_layer_stay_as_they_are(servable: None, boss: User) -> None:
    make_running("test")
    layer = make_recipe_design("test", recipes=["standard", "wide"])
    with pytest.raises(InvalidInput) as refusal:
        change_experiment(design=layer, by=boss)
    assert refusal.value.errors == (
        FieldError("/layer", "The layer stays as it was made: make a new experiment."),
    )
    stop(key="test", by=boss, reason="Enough")
    with pytest.raises(
        Conflict, match=r"^Test test has ended, and stays as it was: make a new experiment\.$"
    ):
        change("test", boss, name="Another")


def test_only_drafts_are_deleted(servable: None, boss: User) -> None:
    make_running("ran", range_end=0.5)
    make_experiment("draft")
    delete_experiment(key="draft", by=boss)
    assert AuditEntry.objects.get(action="experiments.delete").target_id == "draft"
    with pytest.raises(Conflict) as refusal:
        delete_experiment(key="ran", by=boss)
    assert refusal.value.detail == "Test ran has run, and what it found is kept: only drafts can be deleted."
    with pytest.raises(NotFound, match=r"^There is no experiment 'draft'\.$"):
        delete_experiment(key="draft", by=boss)
