"""A rollout on its way: in steps, promoted with the same people first, to everybody, and back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.core.errors import Conflict
from apps.core.models import AuditEntry
from apps.experiments.metrics import GUARDRAILS, METRICS
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.planning import Power
from apps.experiments.policy import read_policy
from apps.experiments.services import (
    assign,
    change_experiment,
    pause,
    resume,
    resume_bandit,
    stop,
    undo,
    watch,
)
from apps.experiments.services import roll_back as roll_experiment_back
from apps.experiments.services.designing import design_of
from apps.training.models import BackTest, ModelVersion, Recipe, Rollout, TrainingRun
from apps.training.services import reconcile_rollouts, staging
from apps.training.services.rollouts import (
    promote,
    roll_back,
    serve_everybody,
    waiting,
)
from tests.experiments.setup import make_running, make_running_recipes
from tests.experiments.traffic import show
from tests.training.rolling import (
    UNITS,
    ask,
    boss,
    candidate,
    clock,
    count,
    expose,
    fresh,
    go_through_steps,
    last,
    make_candidate,
    nothing_kept,
    servable,
    served_by,
    share_of,
    the_one,
)

__all__ = ["boss", "candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]

NOBODY = (
    "No list of candidate was counted since step {} began: nobody has had its recipe in this step. See"
    " whether an experiment that pins a recipe takes all who come, or promote it now."
)


def test_a_site_that_nobody_visits_takes_timed_steps_and_is_told_so(candidate: Recipe) -> None:
    rollout = ask()
    assert rollout.is_timed
    assert rollout.told == (
        "The log of the last two weeks tells too little to say what could be found. So the steps are timed,"
        " and the guardrails find only what is far worse than that."
    )
    assert rollout.experiment is not None
    assert rollout.experiment.purpose == "timed_rollout"
    assert [step["coverage"] for step in rollout.experiment.ramp] == [0.2, 1.0, 1.0]
    assert [step.get("hours") for step in rollout.experiment.ramp] == [48.0, 120.0, None]


def test_a_small_site_is_told_how_long_statistics_would_take(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    old = make_running_recipes("before", recipes=["standard", "other"])
    for number in range(40):
        show(old, "standard", at=clock.at - timedelta(days=1), clicked=[1] if number % 8 == 0 else [])
    stop(key=old.key, by=None, reason="done")
    cache.clear()
    rollout = ask()
    assert rollout.is_timed
    assert rollout.told.startswith("This site is too small for statistics: to find a fall of CTR by 15%")
    assert "units, which takes more than a year at 2.9 a day" in rollout.told


def test_a_site_that_is_large_enough_holds_its_steps_for_a_number_of_units(
    candidate: Recipe, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Power(METRICS["ctr"], 0.2, 1_000.0, 6_001.2, 7, 7_000.0, 0.85)
    monkeypatch.setattr(staging, "power_of", lambda plan, site: found)
    rollout = ask()
    assert not rollout.is_timed
    assert rollout.told == (
        "In 80% of cases a fall of CTR by 15% is found with 6,001 units, which takes 7 days at 1,000.0 a day."
    )
    assert rollout.experiment is not None
    assert [step.get("units", 0) for step in rollout.experiment.ramp] == [1_501, 6_001, 0]
    clock.move_by(timedelta(days=10))
    count(units=(700, 700), clicked=(70, 70))
    assert watch() == 0, "it was held for its time, and too few units were counted"
    count(units=(800, 800), clicked=(80, 80))
    assert watch() == 1
    assert (last(rollout).kind, last(rollout).step) == ("advance", 1)


def test_a_timed_rollout_goes_its_way_though_nothing_can_be_told(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    ask()
    clock.move_by(timedelta(hours=47))
    assert (watch(), reconcile_rollouts()) == (0, [])
    expose()
    clock.move_by(timedelta(hours=1))
    watch()
    before = served_by()["bold"]
    assert abs(share_of() - 0.5) < 0.06
    expose()
    clock.move_by(timedelta(hours=120))
    watch()
    assert reconcile_rollouts() == [f"rollout {the_one().pk} of bold: promoted"]
    after = served_by()["bold"]
    assert before <= after, "the same people first"
    # Binomial, 98 % of 2,000: outside of this in fewer than one of a million.
    assert abs(len(after) / len(UNITS) - 0.98) < 0.017
    assert read_policy().recipe == "standard", "going back takes no more than ending the experiment"


def test_a_timed_step_waits_while_nobody_has_had_the_recipe_in_it(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    rollout = ask()
    make_running("pinning", pinned_recipe="standard")
    clock.move_by(timedelta(days=30))
    for _ in range(2):
        watch()
        assert reconcile_rollouts() == []
    assert Decision.objects.filter(experiment=rollout.experiment_id, kind="hold").count() == 1, "said once"
    assert (last(rollout).kind, last(rollout).step, last(rollout).reason) == ("hold", 0, NOBODY.format(1))
    assert (the_one().status, share_of()) == ("running", 0)
    expose()
    watch()
    assert (last(rollout).kind, last(rollout).step) == ("advance", 1)
    clock.move_by(timedelta(days=30))
    watch()
    assert (last(rollout).kind, last(rollout).step, last(rollout).reason) == ("hold", 1, NOBODY.format(2))
    assert reconcile_rollouts() == [], "whoever had it in the step before does not count"
    expose()
    watch()
    assert reconcile_rollouts() == [f"rollout {rollout.pk} of bold: promoted"]


def test_one_that_nobody_has_had_can_be_promoted_by_hand(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    clock.move_by(timedelta(days=30))
    watch()
    assert promote(by=None, reason="nobody comes").status == "promoted"


def test_what_is_counted_after_the_promotion_is_not_pooled_with_before(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    ask()
    go_through_steps(clock)
    phases = list(Phase.objects.order_by("number"))
    assert [phase.number for phase in phases] == [1, 2]
    assert phases[0].split_salt == phases[1].split_salt
    assert [one["weight"] for one in phases[1].plan["variants"]] == [0.02, 0.98]


def test_a_promoted_recipe_serves_everybody_after_its_holdout(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    ask()
    go_through_steps(clock)
    clock.move_by(timedelta(days=27))
    assert reconcile_rollouts() == []
    clock.move_by(timedelta(days=1))
    reconcile_rollouts()
    rollout = the_one()
    assert (rollout.status, read_policy().recipe, share_of()) == ("finished", "bold", 1.0)
    assert rollout.ended_because == "Its holdout was held for its time, and nothing was found to be worse."
    assert assign(None).recipe == "bold"


def test_a_holdout_makes_room_for_a_candidate_that_waits_after_a_week(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    make_candidate("second", beside=("standard", "bold"))
    ask()
    go_through_steps(clock)
    second = ask("second")
    clock.move_by(timedelta(days=6))
    assert reconcile_rollouts() == []
    clock.move_by(timedelta(days=1))
    reconcile_rollouts()
    second.refresh_from_db()
    assert (second.status, second.against) == ("running", "bold")


def test_harm_rolls_it_back_at_once_and_the_bandit_draws_no_more(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    rollout = ask()
    count((400, 200))
    assert watch() == 1
    assert share_of() == 0, "before anything of this room has looked"
    assert read_policy().bandit_suspended
    assert assign(UNITS[0]).bandit_suspended
    reconcile_rollouts()
    rollout.refresh_from_db()
    assert rollout.status == "rolled_back"
    assert rollout.ended_because.startswith("Roll candidate back: CTR -50.0 %")
    resume_bandit(reason="looked at it", by=None)
    assert not assign(UNITS[0]).bandit_suspended


def test_harm_after_the_promotion_rolls_it_back_too(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    go_through_steps(clock)
    count((60, 1_400), units=(300, 14_700))
    watch()
    assert share_of() == 0
    reconcile_rollouts()
    assert the_one().status == "rolled_back"


def test_somebody_rolls_it_back_with_a_reason(candidate: Recipe, boss: User) -> None:
    ask()
    rolled = roll_back(by=boss, reason="complaints")
    assert (rolled.status, rolled.ended_because, share_of()) == ("rolled_back", "complaints", 0)
    entry = AuditEntry.objects.get(action="policy.suspend_bandit")
    assert (entry.actor_id, entry.reason) == (boss.pk, "Rollout of bold was rolled back: complaints")


def test_what_serves_everybody_already_can_be_rolled_back(candidate: Recipe) -> None:
    ask()
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    assert read_policy().recipe == "bold"
    rolled = roll_back(by=None, reason="complaints")
    assert (rolled.status, read_policy().recipe, share_of()) == ("rolled_back", "standard", 0)
    assert read_policy().bandit_suspended


def test_where_nothing_was_rolled_out_there_is_nothing_to_go_back_to() -> None:
    said = "No rollout is under way, and what serves came by none: there is nothing to go back to."
    with pytest.raises(Conflict) as caught:
        roll_back(by=None, reason="no")
    assert str(caught.value) == said
    assert not read_policy().bandit_suspended


def test_a_rollback_that_is_taken_back_goes_on_where_it_was(candidate: Recipe, boss: User) -> None:
    rollout = ask()
    promote(by=None, reason="urgent")
    roll_experiment_back(key=rollout.experiment_id or "", by=boss, reason="a mistake")
    reconcile_rollouts()
    assert the_one().status == "rolled_back"
    undo(decision_id=last(rollout).pk, by=boss, reason="it was one")
    reconcile_rollouts()
    found = the_one()
    assert (found.status, found.ended_at, found.ended_because) == ("promoted", None, "")


def test_one_whose_experiment_is_stopped_is_withdrawn(candidate: Recipe) -> None:
    rollout = ask()
    stop(key=rollout.experiment_id or "", by=None, reason="not now")
    reconcile_rollouts()
    assert (the_one().status, the_one().ended_because) == ("withdrawn", "not now")
    assert not read_policy().bandit_suspended


def test_a_candidate_is_tested_beside_what_came_to_serve_while_it_waited(candidate: Recipe) -> None:
    second = make_candidate("second")
    ask()
    ask("second")
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    reconcile_rollouts()
    found = waiting()
    assert found is not None
    assert found.waits_for.startswith("Recipe 'second' was not tested beside 'bold', which serves")
    run = TrainingRun.objects.get()
    assert (run.recipe, run.trigger, run.status) == (second, "rollout", "running")
    reconcile_rollouts()
    assert TrainingRun.objects.count() == 1


def test_a_pause_is_no_part_of_a_holdout(candidate: Recipe, clock: SimulatedClock, boss: User) -> None:
    rollout = ask()
    go_through_steps(clock)
    pause(key=rollout.experiment_id or "", by=boss, reason="a holiday")
    clock.move_by(timedelta(days=40))
    reconcile_rollouts()
    resume(key=rollout.experiment_id or "", by=boss, reason="back")
    reconcile_rollouts()
    assert the_one().status == "promoted"
    clock.move_by(timedelta(days=28))
    reconcile_rollouts()
    assert the_one().status == "finished"


def test_what_is_surely_worse_does_not_come_to_serve_everybody(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    ask()
    go_through_steps(clock)
    said = "candidate is surely worse"
    Phase.objects.filter(ended_at=None).update(verdict={"outcome": "keep_control", "sentence": said})
    clock.move_by(timedelta(days=30))
    reconcile_rollouts()
    assert (the_one().status, the_one().waits_for) == ("promoted", said)


def test_a_candidate_that_cannot_be_loaded_is_not_promoted(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    ModelVersion.objects.filter(recipe=candidate).update(manifest_sha256="0" * 64)
    go_through_steps(clock)
    assert the_one().status == "running"
    assert the_one().waits_for.startswith("The live version of recipe 'bold' cannot be loaded")


def test_a_test_that_came_to_nothing_is_not_asked_for_again(candidate: Recipe) -> None:
    make_candidate("second")
    ask()
    ask("second")
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    reconcile_rollouts()
    TrainingRun.objects.update(status="failed")
    reconcile_rollouts()
    assert TrainingRun.objects.count() == 1


def test_a_candidate_that_did_not_pass_beside_what_serves_by_now_is_withdrawn(candidate: Recipe) -> None:
    second = make_candidate("second")
    ask()
    ask("second")
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    BackTest.objects.create(
        recipe=second, against="bold", n_train=1, n_test=1, n_people=1, passed=False, seconds=1.0
    )
    reconcile_rollouts()
    found = Rollout.objects.get(recipe=second)
    assert (found.status, found.ended_because) == (
        "withdrawn",
        "Recipe 'second' did not pass its test beside 'bold', which serves.",
    )


def test_a_rollout_under_way_stays_what_it_is(candidate: Recipe) -> None:
    rollout = ask()
    assert rollout.experiment is not None
    design = design_of(rollout.experiment)
    with pytest.raises(Conflict) as caught:
        change_experiment(design=replace(design, range_end=0.5), by=None, reason="smaller")
    assert str(caught.value) == (
        "Rollout of bold is a rollout, and stays as it is (range_end): roll it back, and ask for another one."
    )
    watched = replace(design, guardrails={"ctr": 0.1})
    promote(by=None, reason="urgent")
    weighed = replace(watched, variants=design_of(the_experiment()).variants, ramp=())
    change_experiment(design=weighed, by=None, reason="stricter")
    reconcile_rollouts()
    assert the_one().status == "promoted"


def the_experiment() -> Experiment:
    found = the_one().experiment
    assert found is not None
    return found


def test_novelty_is_not_compared_between_recipes_that_learn_from_other_data(candidate: Recipe) -> None:
    Recipe.objects.filter(pk=candidate.pk).update(parameters={"data": {"clicks": 0.2}})
    BackTest.objects.update(parameters={"data": {"clicks": 0.2}})
    rollout = ask()
    assert rollout.experiment is not None
    assert set(GUARDRAILS) - rollout.experiment.guardrails.keys() == {"novelty"}
