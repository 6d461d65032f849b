"""The last act of an experiment is taken back, and all is as it was before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.core.models import AuditEntry
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.services import (
    advance,
    approve,
    change_experiment,
    change_policy,
    design_of,
    pause,
    resume,
    roll_back,
    ship,
    stop,
    undo,
)
from apps.training.models import ModelVersion
from tests.experiments.setup import POPULAR, make_running, make_running_recipes
from tests.experiments.test_life import RAMP, assert_refused, last, policy, standing, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]


@pytest.mark.parametrize(
    ("end", "kind", "left"), [(stop, "stop", "completed"), (roll_back, "roll_back", "rolled_back")]
)
def test_an_end_closes_the_phase_and_is_undone(
    end: Any, kind: str, left: str, boss: User, clock: SimulatedClock
) -> None:
    make_running("test", ramp=RAMP)
    clock.move_by(timedelta(hours=20))
    ended = end(key="test", by=None, reason="Enough")
    assert (ended.state, ended.ended_at, Phase.objects.get().ended_at) == (left, clock.at, clock.at)
    clock.move_by(timedelta(hours=20))
    undone = undo(decision_id=last().pk, by=boss, reason="Too early")
    assert (undone.kind, undone.undoes, undone.reason) == (
        "undo",
        Decision.objects.get(kind=kind),
        "Too early",
    )
    experiment = Experiment.objects.get()
    assert (experiment.state, experiment.ended_at, Phase.objects.get().ended_at) == ("running", None, None)
    assert standing() == (0, ("4.0 of 24 hours",))
    assert AuditEntry.objects.get(action="experiments.undo").after == {"state": "running"}


@pytest.mark.parametrize("end", [stop, roll_back])
def test_what_was_paused_before_its_end_is_paused_again(end: Any, boss: User) -> None:
    make_running("test")
    pause(key="test", by=boss, reason="It did harm")
    end(key="test", by=boss, reason="Enough")
    undo(decision_id=last().pk, by=boss, reason="Not so fast")
    assert state() == "paused"
    resume(key="test", by=boss, reason="Mended")
    assert state() == "running"


def test_an_undone_step_is_held_anew(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=({"coverage": 0.1, "hours": 1}, *RAMP[1:]))
    clock.move_by(timedelta(hours=1))
    advance(key="test", units=0)
    approve(key="test", by=boss)
    undo(decision_id=Decision.objects.get(kind="advance").pk, by=boss, reason="Too fast")
    assert standing() == (0, ("1.0 of 1 hours", "somebody's approval"))
    clock.move_by(timedelta(hours=1))
    assert_refused("Test test is held at step 1: somebody's approval.", advance, key="test", units=0)
    approve(key="test", by=boss)
    advance(key="test", units=0)
    assert standing() == (1, ("somebody's approval",))


def test_acts_are_undone_one_after_the_other(boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=({"coverage": 0.1}, {"coverage": 0.5}, {"coverage": 1}))
    first, second = advance(key="test", units=0), advance(key="test", units=0)
    said = "Test test went on since (went a step on): undo its last act first, where that can be undone."
    assert_refused(said, undo, decision_id=first.pk, by=boss, reason="a test")
    undo(decision_id=second.pk, by=boss, reason="a test")
    undo(decision_id=first.pk, by=boss, reason="a test")
    assert standing() == (0, ("somebody's approval",))
    assert_refused("This was undone already.", undo, decision_id=first.pk, by=boss, reason="a test")


def test_an_act_before_a_new_phase_is_not_undone(boss: User) -> None:
    make_running("test")
    paused = Decision.objects.get(experiment=pause(key="test", by=boss, reason="A look"), kind="pause")
    design = design_of(Experiment.objects.get())
    change_experiment(design=replace(design, goals=("novelty",)), by=boss, reason="a test")
    said = "Test test went on since (new phase): undo its last act first, where that can be undone."
    assert_refused(said, undo, decision_id=paused.pk, by=boss, reason="a test")
    assert state() == "paused"


@pytest.mark.parametrize("kind", ["start", "approve", "undo", None])
def test_what_cannot_be_undone_is_said(kind: str | None, boss: User, clock: SimulatedClock) -> None:
    make_running("test", ramp=({"coverage": 0.1, "approval": True}, {"coverage": 1}))
    approve(key="test", by=boss)
    pause(key="test", by=boss, reason="A look")
    undo(decision_id=last().pk, by=boss, reason="a test")
    decision_id = Decision.objects.get(kind=kind).pk if kind else 0
    said = "This entry of the ledger cannot be undone."
    assert_refused(said, undo, decision_id=decision_id, by=boss, reason="a test")


def test_an_end_is_not_undone_once_the_range_is_given_away(boss: User) -> None:
    make_running("test", range_end=0.5)
    stop(key="test", by=boss, reason="Enough")
    stopped = last()
    make_running("another", range_start=0.4)
    said = (
        "Test test cannot run again: Test another has 0.4 to 1 of the layer, and both would have 0.4 to 0.5:"
        " choose a range beside it, or end it first."
    )
    assert_refused(said, undo, decision_id=stopped.pk, by=boss, reason="a test")
    assert (state(), Phase.objects.filter(experiment="test", ended_at=None).exists()) == ("completed", False)


def test_an_end_is_not_undone_once_its_recipe_is_gone(boss: User) -> None:
    make_running_recipes("test", recipes=["standard", "wide"])
    stop(key="test", by=boss, reason="Enough")
    ModelVersion.objects.filter(recipe__name="wide").delete()
    said = (
        "Test test cannot run again: Variant wide cannot serve: Recipe 'wide' has no trained version yet:"
        " train it first (manage.py train --recipe wide)."
    )
    assert_refused(said, undo, decision_id=last().pk, by=boss, reason="a test")


def test_what_is_shipped_serves_everybody_and_undo_brings_back_what_served(boss: User) -> None:
    _, strategy, recipe = policy()
    make_running("test")
    shipped = ship(key="test", variant="treatment", by=boss, reason="It won")
    assert (shipped.state, policy()) == ("completed", (2, POPULAR, recipe))
    assert last().policy["variant"] == "treatment"
    assert AuditEntry.objects.get(action="policy.change").reason == "It won"
    undo(decision_id=last().pk, by=boss, reason="It did not")
    assert policy()[0] == 3
    assert policy()[1:] == (strategy, recipe)
    assert state() == "running"


def test_a_recipe_that_is_shipped_leaves_the_strategy(boss: User) -> None:
    make_running_recipes("test", recipes=["standard", "wide"])
    pause(key="test", by=boss, reason="To decide")
    ship(key="test", variant="wide", by=boss, reason="It won")
    assert (policy()[1]["arms"], policy()[2]) == ({"hybrid": 1.0}, "wide")
    undo(decision_id=last().pk, by=boss, reason="It did not")
    assert (policy()[2], state()) == ("standard", "paused")


def test_what_was_shipped_stays_once_the_policy_was_changed(boss: User) -> None:
    make_running("test")
    ship(key="test", variant="treatment", by=boss, reason="It won")
    change_policy(strategy={"arms": {"svd": 1}}, recipe="standard", reason="Better still", by=boss)
    said = (
        "The policy was changed meanwhile: it is at version 3, not 2. Look at it again before you change it."
    )
    assert_refused(said, undo, decision_id=last().pk, by=boss, reason="a test")
    assert (policy()[0], state()) == (3, "completed")
