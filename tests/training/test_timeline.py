"""What served when: shares of all viewers by recipe and version, known for every moment of a rollout."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.core.models import AuditEntry
from apps.core.services import record_audit
from apps.experiments.models import Decision
from apps.experiments.services import change_policy, pause, resume, undo, watch
from apps.experiments.services import roll_back as roll_experiment_back
from apps.training.models import Activation, ModelVersion, Recipe, TrainingRun
from apps.training.services import reconcile_rollouts
from apps.training.services.rollouts import promote, roll_back, serve_everybody
from apps.training.timeline import days_before, moments, served_at
from tests.experiments.conftest import NOON
from tests.experiments.setup import HYBRID, POPULAR, make_running, make_version
from tests.training.rolling import (
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
)

__all__ = ["boss", "candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]

HOUR = timedelta(hours=1)


def shares(at: datetime) -> dict[tuple[str, str], float]:
    """By recipe and what gave it."""
    return {(one.recipe, one.why.split(" ")[0]): round(one.share, 6) for one in served_at(at)}


def written_now(clock: SimulatedClock) -> None:
    """The audit goes by the machine's clock: what was just written is of the test's moment."""
    AuditEntry.objects.filter(at__gt=NOON + timedelta(days=200)).update(at=clock.at)


def go_live(version: ModelVersion, at: datetime, reason: str = "") -> None:
    Activation.objects.create(version=version, recipe=version.recipe, at=at, reason=reason)


def test_before_any_rollout_everybody_has_what_the_policy_says(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    (one,) = served_at(clock.at)
    assert (one.recipe, one.version, one.share, one.why) == ("standard", "", 1.0, "the policy")
    clock.move_by(HOUR)
    ask()
    assert shares(NOON) == {("standard", "the"): 1.0}


def test_each_step_gives_the_candidate_its_half_of_whom_it_covers(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    rollout = ask()
    for _ in range(2):
        expose()
        clock.move_by(timedelta(days=5))
        watch()
    promoted_at = clock.at + HOUR
    clock.move_to(promoted_at)
    reconcile_rollouts()
    clock.move_by(timedelta(days=1))
    first = shares(NOON + HOUR)
    assert first == {("standard", "the"): 0.8, ("standard", "rollout"): 0.1, ("bold", "rollout"): 0.1}
    assert shares(NOON + timedelta(days=5)) == {("standard", "rollout"): 0.5, ("bold", "rollout"): 0.5}
    assert shares(promoted_at) == {("standard", "rollout"): 0.02, ("bold", "rollout"): 0.98}
    assert [one.recipe for one in served_at(promoted_at)] == ["bold", "standard"], "the largest share first"
    assert served_at(promoted_at)[0].why == str(rollout)


def test_whoever_is_in_an_experiment_that_pins_a_recipe_has_that_one(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    ask()
    make_version("copy")
    ramp = ({"coverage": 0.5, "hours": 1}, {"coverage": 1.0})
    key = make_running("pinning", pinned_recipe="copy", range_end=0.5, ramp=ramp).key
    clock.move_by(HOUR)
    # Of the three quarters that are in none of strategies a tenth has the candidate.
    assert shares(clock.at) == {
        ("standard", "the"): 0.6,
        ("copy", "experiment"): 0.25,
        ("standard", "rollout"): 0.075,
        ("bold", "rollout"): 0.075,
    }
    assert [one.why for one in served_at(clock.at) if one.recipe == "copy"] == [
        "experiment pinning, which pins it"
    ]
    pause(key=key, by=boss, reason="a look")
    clock.move_by(HOUR)
    assert ("copy", "experiment") not in shares(clock.at)


def test_one_that_pins_a_recipe_for_everybody_leaves_nothing_to_the_policy(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    make_version("copy")
    make_running("pinning", pinned_recipe="copy")
    ask()
    clock.move_by(HOUR)
    assert shares(clock.at) == {("copy", "experiment"): 1.0}
    assert served_by().keys() == {"copy"}, "as lists are served"
    found = moments(days_before(clock.at, 1), clock.at)
    assert [(one.what, one.recipe, one.said) for one in found if one.what != "Rollout"] == [
        ("Experiment pinning", "copy", "Started")
    ]


def test_the_shares_are_those_of_whom_it_serves(candidate: Recipe, clock: SimulatedClock) -> None:
    make_version("copy")
    make_running("pinning", pinned_recipe="copy", range_end=0.4)
    ask()
    promote(by=None, reason="urgent")
    clock.move_by(HOUR)
    told: dict[str, float] = {}
    for one in served_at(clock.at):
        told[one.recipe] = told.get(one.recipe, 0.0) + one.share
    assert {name: round(share, 6) for name, share in told.items()} == {
        "copy": 0.4,
        "bold": 0.588,
        "standard": 0.012,
    }
    # Binomial of 2,000: outside of this in fewer than one of a million.
    assert all(abs(share_of(name) - share) < 0.054 for name, share in told.items())


def test_in_a_pause_everybody_has_the_policys_recipe(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    key = ask().experiment_id or ""
    clock.move_by(HOUR)
    pause(key=key, by=boss, reason="a look")
    clock.move_by(HOUR)
    resume(key=key, by=boss, reason="seen")
    clock.move_by(HOUR)
    halves = [shares(NOON + HOUR * (0.5 + number)) for number in range(3)]
    assert halves[0] == halves[2] != halves[1]
    assert halves[1] == {("standard", "the"): 1.0}


def test_after_a_rollback_everybody_has_the_recipe_before(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    clock.move_by(HOUR)
    promote(by=None, reason="urgent")
    clock.move_by(HOUR)
    roll_back(by=None, reason="complaints")
    assert shares(clock.at - HOUR / 2)["bold", "rollout"] == 0.98
    assert shares(clock.at) == {("standard", "the"): 1.0}
    assert shares(clock.at + HOUR) == {("standard", "the"): 1.0}


def test_between_a_rollback_and_its_being_taken_back_nobody_had_the_candidate(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    rollout = ask()
    clock.move_by(HOUR)
    roll_experiment_back(key=rollout.experiment_id or "", by=boss, reason="a mistake")
    clock.move_by(HOUR)
    undo(decision_id=last(rollout).pk, by=boss, reason="it was one")
    reconcile_rollouts()
    found = [("bold", "rollout") in shares(NOON + HOUR * hours) for hours in (0.5, 1.5, 2.5)]
    assert found == [True, False, True]


def test_a_step_that_was_undone_covers_what_the_one_before_did(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    rollout = ask()
    expose()
    clock.move_by(timedelta(days=5))
    watch()
    clock.move_by(HOUR)
    undo(decision_id=last(rollout).pk, by=boss, reason="too soon")
    assert shares(clock.at - HOUR / 2)["bold", "rollout"] == 0.5
    assert shares(clock.at)["bold", "rollout"] == 0.1


def test_after_it_serves_everybody_the_policy_names_it(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    promote(by=None, reason="urgent")
    clock.move_by(HOUR)
    serve_everybody(by=None, reason="urgent")
    written_now(clock)
    assert shares(clock.at) == {("bold", "the"): 1.0}
    assert shares(NOON + HOUR / 2) == {("bold", "rollout"): 0.98, ("standard", "rollout"): 0.02}
    clock.move_by(HOUR)
    roll_back(by=None, reason="complaints")
    written_now(clock)
    assert shares(clock.at) == {("standard", "the"): 1.0}
    assert shares(clock.at - HOUR) == {("bold", "the"): 1.0}, "what is known of the past stays"


def test_a_policy_that_was_changed_by_hand_serves_from_then_on(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    ask()
    promote(by=None, reason="urgent")
    serve_everybody(by=None, reason="urgent")
    written_now(clock)
    clock.move_by(HOUR)
    change_policy(strategy=HYBRID, recipe="standard", reason="By hand", by=boss)
    written_now(clock)
    clock.move_by(HOUR)
    assert shares(NOON - HOUR) == {("standard", "the"): 1.0}
    assert shares(NOON + HOUR / 2) == {("bold", "the"): 1.0}
    assert shares(clock.at) == {("standard", "the"): 1.0}
    newest = moments(days_before(clock.at, 1), clock.at)[0]
    assert (newest.what, newest.recipe, newest.said, newest.by, newest.reason) == (
        "Policy",
        "standard",
        "after bold",
        "boss",
        "By hand",
    )


def test_another_strategy_of_the_same_recipe_is_a_change_and_moves_no_share(clock: SimulatedClock) -> None:
    change_policy(strategy=POPULAR, recipe="standard", reason="Simple", by=None)
    written_now(clock)
    (one,) = moments(days_before(clock.at, 1), clock.at)
    assert (one.said, one.by) == ("with another strategy", "a command")
    assert shares(clock.at) == {("standard", "the"): 1.0}


def test_versions_serve_from_their_activation_to_the_next_of_their_recipe(
    candidate: Recipe, clock: SimulatedClock
) -> None:
    standard = ModelVersion.objects.get(recipe__name="standard")
    bold = ModelVersion.objects.get(recipe__name="bold")
    second = ModelVersion.objects.create(
        recipe=standard.recipe,
        name="second",
        status="retired",
        manifest_sha256="0" * 64,
        read_at=NOON,
        n_users=1,
        n_movies=1,
        n_ratings=1,
        fit_seconds=1.0,
    )
    go_live(standard, NOON - HOUR)
    go_live(bold, NOON)
    ask()
    go_live(second, NOON + HOUR)
    go_live(standard, NOON + 2 * HOUR, reason="Back")
    clock.move_by(3 * HOUR)

    def names(at: datetime) -> dict[str, str]:
        return {one.recipe: one.version for one in served_at(at)}

    assert names(NOON - 2 * HOUR) == {"standard": ""}, "nothing is known to have been live"
    assert names(NOON - HOUR / 2) == {"standard": standard.name}
    assert names(NOON + HOUR / 2) == {"standard": standard.name, "bold": bold.name}
    assert names(NOON + HOUR) == {"standard": "second", "bold": bold.name}
    assert names(clock.at)["standard"] == standard.name


def test_what_changed_is_told_newest_first_with_who_and_why(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    go_live(ModelVersion.objects.get(recipe__name="bold"), NOON - HOUR)
    ask(by=boss)
    clock.move_by(HOUR)
    promote(by=boss, reason="urgent")
    clock.move_by(HOUR)
    roll_back(by=boss, reason="complaints")
    found = moments(days_before(clock.at, 7), clock.at)
    assert [(one.what, one.recipe, one.said, one.by, one.reason) for one in found] == [
        ("Rollout", "bold", "Rolled back", "boss", "complaints"),
        ("Rollout", "bold", "Promoted", "boss", "urgent"),
        ("Rollout", "bold", "Started", "boss", "it ranks better"),
        ("Version", "bold", ModelVersion.objects.get(recipe__name="bold").name, "–", ""),
    ]
    assert moments(clock.at + HOUR, clock.at + 2 * HOUR) == []
    assert [one.said for one in moments(NOON + HOUR / 2, NOON + HOUR)] == ["Promoted"]


def test_what_people_a_command_and_the_site_did_are_told_apart(
    candidate: Recipe, clock: SimulatedClock, boss: User
) -> None:
    make_candidate("second", beside=("standard", "bold"))
    ask(by=boss)
    ask("second", by=boss)
    go_through_steps(clock)
    clock.move_by(timedelta(days=7))
    reconcile_rollouts()
    clock.move_by(HOUR)
    promote(by=None, reason="urgent")
    clock.move_by(HOUR)
    roll_back(by=None, reason="complaints")
    clock.move_by(HOUR)
    ask("second")
    count((400, 200))
    watch()
    written_now(clock)
    found = moments(days_before(clock.at, 90), clock.at)
    assert [(one.recipe, one.said, one.by) for one in reversed(found) if one.what == "Rollout"] == [
        ("bold", "Started", "boss"),
        ("bold", "Went a step on", "by itself"),
        ("bold", "Went a step on", "by itself"),
        ("bold", "Promoted", "by itself"),
        ("bold", "Shipped", "by itself"),
        ("second", "Started", "by itself"),
        ("second", "Promoted", "a command"),
        ("second", "Rolled back", "a command"),
        ("second", "Started", "a command"),
        ("second", "Rolled back", "by itself"),
    ]
    assert [(one.recipe, one.by) for one in found if one.what == "Policy"] == [("bold", "by itself")]


@pytest.mark.parametrize(
    ("trigger", "actor", "by"),
    [
        ("nightly", None, "by itself"),
        ("threshold_reached_50", None, "by itself"),
        ("command", None, "a command"),
        ("admin", "ada", "ada"),
        ("manual", "ada", "ada"),
        ("admin", "", "an erased user"),
        ("manual", None, "somebody"),
    ],
)
def test_a_version_came_by_whoever_asked_for_its_fit(
    candidate: Recipe, clock: SimulatedClock, trigger: str, actor: str | None, by: str
) -> None:
    version = ModelVersion.objects.get(recipe=candidate)
    version.run = TrainingRun.objects.create(recipe=candidate, trigger=trigger, status="succeeded")
    version.save()
    if actor is not None:
        entry = record_audit("training.start", by=None, target=version.run)
        AuditEntry.objects.filter(pk=entry.pk).update(actor_name=actor)
    go_live(version, clock.at)
    (one,) = moments(days_before(clock.at, 1), clock.at)
    assert (one.what, one.by) == ("Version", by)


def test_what_a_rule_only_would_have_done_is_no_change(candidate: Recipe, clock: SimulatedClock) -> None:
    ask()
    Decision.objects.all().update(acted=False)
    assert moments(days_before(clock.at, 7), clock.at + HOUR) == []


def test_it_takes_as_many_queries_however_much_there_was(candidate: Recipe, clock: SimulatedClock) -> None:
    version = ModelVersion.objects.get(recipe__name="standard")
    counts = []
    for number in range(2):
        for _ in range(1 + 3 * number):
            make_candidate(f"other-{clock.at:%d-%H}")
            ask(f"other-{clock.at:%d-%H}")
            clock.move_by(HOUR)
            go_live(version, clock.at)
            roll_back(by=None, reason="no")
            clock.move_by(HOUR)
        ask()
        clock.move_by(HOUR)
        with CaptureQueriesContext(connection) as queries:
            served_at(clock.at)
            moments(days_before(clock.at, 30), clock.at)
        counts.append(len(queries))
        roll_back(by=None, reason="no")
        clock.move_by(HOUR)
    assert counts == [12, 12]
