"""An experiment from its start to its end, each act in the ledger and the audit, and what is undone."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.core.errors import ApplicationError, InvalidInput, NotFound
from apps.core.models import AuditEntry
from apps.core.services import record_audit
from apps.experiments.models import Decision, Experiment, Phase, ServingPolicy
from apps.experiments.policy import forget_policy, recipes_in_use
from apps.experiments.running import read_field
from apps.experiments.services import (
    advance,
    approve,
    change_experiment,
    change_policy,
    checklist,
    design_of,
    pause,
    resume,
    roll_back,
    ship,
    start,
    stop,
    undo,
)
from apps.experiments.services.phases import standing_of
from tests.experiments.setup import (
    HYBRID,
    POPULAR,
    make_experiment,
    make_recipe_design,
    make_running,
    make_running_recipes,
    make_version,
)

UNKNOWN = "The last 14 days tell too little to say how long this takes."
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

RAMP = ({"coverage": 0.1, "hours": 24}, {"coverage": 0.5, "approval": True}, {"coverage": 1.0})


def ledger(key: str = "test") -> list[tuple[str, int, str]]:
    """Kind, step and by whom, in order."""
    rows = Decision.objects.filter(experiment=key).order_by("pk")
    return list(rows.values_list("kind", "step", "by"))


def last() -> Decision:
    return Decision.objects.latest("pk")


def state(key: str = "test") -> str:
    return Experiment.objects.get(pk=key).state


def standing() -> tuple[int, tuple[str, ...]]:
    found = standing_of(Phase.objects.get(ended_at=None), units=0)
    return found.step, found.waits_for


def assert_refused(said: str, act: Callable[..., object], **options: Any) -> None:
    with pytest.raises(ApplicationError, match=f"^{re.escape(said)}$"):
        act(**options)


def test_a_start_freezes_the_plan_and_is_in_ledger_and_audit(boss: User, clock: SimulatedClock) -> None:
    experiment = make_experiment("test", ramp=RAMP)
    started = start(key="test", by=boss, reason="Ready")
    assert (started.state, started.started_at, started.version) == ("running", clock.at, 2)
    phase = Phase.objects.get()
    assert (phase.number, phase.started_at, phase.ended_at, phase.begun_by) == (1, clock.at, None, "boss")
    assert phase.plan["variants"][0]["strategy"] == HYBRID
    assert ledger() == [("start", 0, "boss")]
    entry = AuditEntry.objects.get(action="experiments.start")
    assert (entry.target_id, entry.after, entry.reason) == (experiment.pk, {"state": "running"}, "Ready")


def test_the_checklist_says_what_holds(boss: User) -> None:
    checks = checklist(make_experiment("test", range_end=0.5))
    assert [(check.name, check.is_ok, check.said) for check in checks] == [
        ("range", True, "0 to 0.5 of the layer is nobody else's."),
        ("serving", True, "Every variant can serve with the models that there are."),
        ("differing", True, "Every list counts."),
        ("targeting", True, "Whoever is targeted stays so, whatever a variant does."),
        ("horizon", True, "The horizon is 28 days."),
        ("power", False, UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("targeting", "name", "said"),
    [
        ({"segments": ("cold",)}, "targeting", "Units leave when their segment changes: "),
        ({"languages": ("en",)}, "power", "The log of 14 days does not tell how many units are of these"),
        ({"age_to_days": 7}, "power", "The log of 14 days does not tell how many units are of these"),
    ],
)
def test_targeting_that_the_log_or_a_variant_moves_needs_a_reason(
    targeting: dict[str, Any], name: str, said: str, boss: User
) -> None:
    checks = {check.name: check for check in checklist(make_experiment("test", **targeting))}
    assert (checks[name].is_ok, checks[name].takes_reason) == (False, True)
    assert checks[name].said.startswith(said)
    start(key="test", by=boss, reason="It is meant so")
    assert Experiment.objects.get().planned_units is None


def test_an_arm_that_is_gone_is_said_by_the_checklist_and_by_ship(boss: User) -> None:
    make_running("test")
    for rows in (Experiment.objects.get().variants, make_experiment("draft").variants):
        rows.filter(name="treatment").update(strategy={"policy": "fixed", "arms": {"gone": 1.0}})
    phase = Phase.objects.get()
    phase.plan["variants"][1]["strategy"]["arms"] = {"gone": 1.0}
    phase.save()
    (check,) = (one for one in checklist(Experiment.objects.get(pk="draft")) if one.name == "serving")
    assert check.said.startswith("A variant cannot serve any more: /arms/gone: Choose a known arm")
    said = "Test test names an arm or a metric that is gone: stop it instead."
    assert_refused(said, ship, key="test", variant="treatment", by=boss, reason="It is better")
    stop(key="test", by=boss, reason="It is gone")


def test_a_start_into_the_range_of_another_is_refused_in_words(boss: User) -> None:
    make_running("first", range_start=0.2, range_end=0.6)
    make_experiment("beside", range_start=0.6)
    start(key="beside", by=boss, reason="a test")
    make_experiment("test", range_end=0.25)
    said = (
        "Test test cannot start: Test first has 0.2 to 0.6 of the layer, and both would have 0.2 to 0.25:"
        " choose a range beside it, or end it first."
    )
    assert_refused(said, start, key="test", by=boss)
    pause(key="first", by=boss, reason="A look")
    assert_refused(said, start, key="test", by=boss)
    stop(key="first", by=boss, reason="Enough")
    assert start(key="test", by=boss, reason="a test").state == "running"


def test_the_two_layers_do_not_share_their_ranges(boss: User) -> None:
    make_running("strategies")
    assert make_running_recipes("recipes", recipes=["standard", "wide"]).state == "running"


def test_a_variant_has_to_serve_with_all_that_the_other_layer_serves(boss: User) -> None:
    make_version("small", ["hybrid", "popular"])
    make_running_recipes("recipes", recipes=["standard", "small"])
    make_experiment("test", strategies={"control": HYBRID, "treatment": {"arms": {"svd": 1}}})
    said = (
        "Test test cannot start: Variant treatment cannot serve: The live version of recipe 'small' has only"
        " hybrid, popular, and the strategy asks for svd: train it again (manage.py train --recipe small)."
    )
    assert_refused(said, start, key="test", by=boss)
    stop(key="recipes", by=boss, reason="Enough")
    assert start(key="test", by=boss, reason="a test").state == "running"


def test_a_short_horizon_takes_a_reason(boss: User) -> None:
    make_experiment("test", horizon_days=3)
    said = "Test test needs a reason to start: A horizon of 3 days leaves out part of the week."
    said = f"{said} {UNKNOWN}"
    assert_refused(said, start, key="test", by=boss, reason=" ")
    assert start(key="test", by=boss, reason="A holiday").state == "running"


@pytest.mark.parametrize(
    ("act", "before", "said"),
    [
        (start, "running", "Test test is running, not draft."),
        (pause, "draft", "Test test is draft, not running."),
        (pause, "paused", "Test test is paused, not running."),
        (resume, "running", "Test test is running, not paused."),
        (approve, "draft", "Test test is draft, not running or paused."),
        (advance, "paused", "Test test is paused, not running."),
        (stop, "completed", "Test test is completed, not running or paused."),
        (roll_back, "draft", "Test test is draft, not running or paused."),
        (ship, "rolled_back", "Test test is rolled back, not running or paused."),
    ],
)
def test_an_act_out_of_its_turn_is_refused(act: Any, before: str, said: str, boss: User) -> None:
    make_experiment("test") if before == "draft" else make_running("test")
    ends = {"paused": pause, "completed": stop, "rolled_back": roll_back}
    if before in ends:
        ends[before](key="test", by=boss, reason="a test")
    n_entries, more = AuditEntry.objects.count(), {advance: {"units": 0}, ship: {"variant": "control"}}
    assert_refused(said, act, key="test", by=boss, reason="a test", **more.get(act, {}))
    assert (state(), AuditEntry.objects.count()) == (before, n_entries)


def test_nothing_is_done_to_an_experiment_that_is_none(boss: User) -> None:
    with pytest.raises(NotFound, match=r"^There is no experiment 'test'\.$"):
        pause(key="test", by=boss, reason="a test")


def test_a_pause_and_its_end_keep_the_phase(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=RAMP)
    clock.move_by(timedelta(hours=10))
    assert pause(key="test", by=None, reason="The arm failed").state == "paused"
    clock.move_by(timedelta(hours=100))
    assert resume(key="test", by=boss, reason="Mended").state == "running"
    assert [(kind, by) for kind, _, by in ledger()][1:] == [("pause", ""), ("resume", "boss")]
    assert Phase.objects.filter(ended_at=None).count() == 1
    assert standing() == (0, ("14.0 of 24 hours",))
    audited = AuditEntry.objects.filter(action__in=["experiments.pause", "experiments.resume"])
    assert set(audited.values_list("actor_name", flat=True)) == {"system", "boss"}


def test_a_ramp_goes_on_step_by_step(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=RAMP)
    assert_refused("Test test is held at step 1: 24.0 of 24 hours.", advance, key="test", units=0)
    clock.move_by(timedelta(days=400))
    advance(key="test", units=0, figures={"units": 7}, verdict={"is_harm": False})
    assert (last().step, last().figures, last().verdict) == (1, {"units": 7}, {"is_harm": False})
    assert_refused("Test test is held at step 2: somebody's approval.", advance, key="test", units=0)
    approve(key="test", by=boss, reason="Fine")
    advance(key="test", units=0)
    said = "Test test covers all of its range that its ramp asks for."
    assert_refused(said, advance, key="test", units=0)
    assert ledger()[1:] == [("advance", 1, ""), ("approve", 1, "boss"), ("advance", 2, "")]
    assert AuditEntry.objects.filter(action="experiments.advance", actor_name="system").count() == 2


def test_a_new_phase_begins_its_ramp_anew_be_it_shorter(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=RAMP)
    clock.move_by(timedelta(hours=24))
    advance(key="test", units=0)
    shorter = replace(
        design_of(Experiment.objects.get()), ramp=({"coverage": 0.3, "hours": 2}, {"coverage": 1})
    )
    change_experiment(design=shorter, by=boss, reason="Faster")
    assert standing() == (0, ("2.0 of 2 hours",))
    clock.move_by(timedelta(hours=2))
    assert advance(key="test", units=0).phase == 2
    undo(decision_id=last().pk, by=boss, reason="Too fast")
    assert standing() == (0, ("2.0 of 2 hours", "somebody's approval"))
    assert read_field().runnings[0].coverage == 0.3


def test_an_approval_that_nobody_waits_for_is_refused(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=RAMP)
    said = "Test test waits for nobody's approval."
    assert_refused(said, approve, key="test", by=boss)
    clock.move_by(timedelta(days=1))
    advance(key="test", units=0)
    approve(key="test", by=boss)
    assert_refused(said, approve, key="test", by=boss)
    advance(key="test", units=0)
    assert_refused(said, approve, key="test", by=boss)


def policy() -> tuple[int, Any, str]:
    row = ServingPolicy.objects.get()
    return row.version, row.strategy, row.recipe


def test_what_is_shipped_serves_everybody(boss: User) -> None:
    make_running("test")
    assert ship(key="test", variant="treatment", by=boss, reason="It won").state == "completed"
    assert policy() == (2, POPULAR, "standard")
    assert (last().kind, last().policy["variant"], last().policy["version"]) == ("ship", "treatment", 2)
    assert AuditEntry.objects.get(action="policy.change").reason == "It won"
    assert AuditEntry.objects.get(action="experiments.ship").after == {"state": "completed"}


def test_a_variant_that_is_none_is_not_shipped(boss: User) -> None:
    make_running("test")
    with pytest.raises(InvalidInput) as refusal:
        ship(key="test", variant="another", by=boss, reason="a test")
    (error,) = refusal.value.errors
    assert (error.pointer, error.detail) == ("/variant", "Test test has no variant 'another'.")
    assert (policy()[0], state()) == (1, "running")


def test_recipes_are_in_use_while_their_experiment_may_serve(boss: User) -> None:
    make_experiment("draft", layer="recipe", variants=make_recipe_design(recipes=["new", "newer"]).variants)
    make_running_recipes("test", recipes=["standard", "wide"])
    forget_policy()
    assert recipes_in_use() == {"standard", "wide"}
    pause(key="test", by=boss, reason="A look")
    assert recipes_in_use() == {"standard", "wide"}
    stop(key="test", by=boss, reason="Enough")
    assert recipes_in_use() == {"standard"}


UNPROVED = (
    "Recipe 'small' has not served everybody yet: roll it out first (Training > Rollouts, or manage.py"
    " promote small)."
)
BESIDE = (
    "Test test, variant treatment, could not serve beside it: The live version of recipe 'small' has only"
    " hybrid, popular, and the strategy asks for svd: train it again (manage.py train --recipe small). Or"
    " end that experiment first."
)
SVD = {"policy": "fixed", "arms": {"svd": 1.0}, "diversity": 0.0}


def test_a_policy_beside_which_an_experiment_could_not_serve_is_refused(boss: User) -> None:
    make_running("test", strategies={"control": HYBRID, "treatment": SVD})
    make_version("small", ["hybrid", "popular"])
    change: dict[str, Any] = {"strategy": HYBRID, "recipe": "small", "reason": "Smaller", "by": boss}
    assert_refused(BESIDE, change_policy, **change)
    pause(key="test", by=boss, reason="It may serve again at once")
    assert_refused(BESIDE, change_policy, **change)
    stop(key="test", by=boss, reason="Enough")
    assert_refused(UNPROVED, change_policy, **change)
    record_audit("policy.change", by=boss, before={"recipe": "small"}, after={"recipe": "standard"})
    assert change_policy(**change).recipe == "small", "it has served everybody before"


def test_what_is_shipped_need_not_serve_beside_itself(boss: User) -> None:
    make_version("small", ["hybrid", "popular"])
    make_running_recipes("test", recipes=["standard", "small"])
    ship(key="test", variant="small", by=boss, reason="As good")
    assert ServingPolicy.objects.get().recipe == "small"


@pytest.mark.parametrize("act", [pause, stop, roll_back])
def test_nothing_is_ended_without_a_reason(act: Callable[..., object], boss: User) -> None:
    make_running("test")
    assert_refused("Say why: it goes into the audit.", act, key="test", by=boss, reason=" ")
    said: dict[str, Any] = {"key": "test", "variant": "treatment", "by": boss, "reason": ""}
    assert_refused("Say why: it goes into the audit.", ship, **said)
    stop(key="test", by=boss, reason="Enough")
    assert_refused("Say why: it goes into the audit.", undo, decision_id=last().pk, by=boss, reason="")
    assert state() == "completed"
