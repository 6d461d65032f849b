"""A recipe that is to serve everybody: asked for, led by hand, and rolled back."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.clock import SimulatedClock
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.models import AuditEntry
from apps.experiments.models import Decision, Experiment, ServingPolicy
from apps.experiments.policy import recipes_in_use
from apps.experiments.services import roll_up, stop
from apps.training.models import ModelVersion, Recipe, Rollout
from apps.training.services import reconcile_rollouts
from apps.training.services.rollouts import (
    ask_for_rollout,
    promote,
    roll_back,
    serve_everybody,
    under_way,
    waiting,
    withdraw,
)
from tests.experiments.setup import make_running, make_running_recipes, make_version
from tests.training.rolling import (
    BETTER,
    ask,
    assignments,
    boss,
    candidate,
    clock,
    fresh,
    go_through_steps,
    make_candidate,
    nothing_kept,
    servable,
    share_of,
    the_one,
)

__all__ = ["boss", "candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]


def test_a_rollout_begins_at_once_and_half_of_a_fifth_get_the_candidate(candidate: Recipe) -> None:
    rollout = ask()
    assert (rollout.status, rollout.against, rollout.waits_for) == ("running", "standard", "")
    assert rollout.experiment is not None
    assert rollout.experiment.key == f"rollout-{rollout.pk}-bold"
    # Binomial, 10 % of 2,000: outside of this in fewer than one of a million.
    assert abs(share_of() - 0.1) < 0.034
    assert recipes_in_use() == {"standard", "bold"}
    assert AuditEntry.objects.filter(action="training.ask_for_rollout", reason=BETTER).exists()


@pytest.mark.parametrize(
    ("recipe", "refusal", "said"),
    [
        ("standard", Conflict, "Recipe 'standard' serves everybody already."),
        ("nobody", NotFound, "There is no recipe 'nobody'; the recipes are: bold, raw, standard."),
        (
            "raw",
            Conflict,
            "Recipe 'raw' has no version that passed the gate: fit it, which tests it (manage.py train"
            " --recipe raw).",
        ),
    ],
)
def test_what_cannot_be_rolled_out_is_refused(
    candidate: Recipe, recipe: str, refusal: type[Exception], said: str
) -> None:
    Recipe.objects.create(name="raw")
    with pytest.raises(refusal) as caught:
        ask(recipe)
    assert str(caught.value) == said
    assert not Rollout.objects.exists()


def test_a_rollout_needs_a_reason(candidate: Recipe) -> None:
    with pytest.raises(InvalidInput):
        ask_for_rollout(recipe="bold", by=None, reason="  ")


def test_one_is_under_way_one_waits_and_a_newer_candidate_takes_its_place(candidate: Recipe) -> None:
    for name in ("second", "third"):
        make_candidate(name)
    first, second = ask(), ask("second")
    assert (second.status, second.waits_for) == (
        "waiting",
        "bold is being rolled out: it has its turn when that has ended.",
    )
    third = ask("third")
    second.refresh_from_db()
    assert (second.status, second.ended_because) == ("replaced", "third was asked for.")
    assert (under_way(), waiting()) == (first, third)
    with pytest.raises(Conflict, match=r"^Recipe 'bold' is being rolled out already\.$"):
        ask()


def test_the_one_that_waits_has_its_turn_when_the_other_has_ended(candidate: Recipe) -> None:
    make_candidate("second", beside=("standard", "bold"))
    ask()
    second = ask("second")
    roll_back(by=None, reason="no")
    assert reconcile_rollouts() == [f"rollout {second.pk} of second: in steps"]
    assert share_of("second") > 0
    assert share_of("bold") == 0


def test_it_waits_for_an_experiment_that_has_the_range(candidate: Recipe) -> None:
    other = make_running_recipes("which-recipe", recipes=["standard", "other"])
    rollout = ask()
    assert rollout.status == "waiting"
    assert rollout.waits_for.startswith(f"Rollout of bold cannot start: {other} has 0 to 1 of the layer")
    assert reconcile_rollouts() == [], "the same as before is not said again"
    stop(key=other.key, by=None, reason="done")
    reconcile_rollouts()
    assert the_one().status == "running"


def test_a_candidate_that_waits_can_be_withdrawn_and_one_under_way_cannot(candidate: Recipe) -> None:
    make_candidate("second", beside=("standard", "bold"))
    first, second = ask(), ask("second")
    with pytest.raises(Conflict, match=f"Rollout {first.pk} does not wait: roll it back if it is under way"):
        withdraw(rollout_id=first.pk, by=None, reason="no")
    assert withdraw(rollout_id=second.pk, by=None, reason="no").status == "withdrawn"
    assert waiting() is None


def test_promoting_by_hand_skips_the_steps_and_keeps_the_holdout(candidate: Recipe) -> None:
    with pytest.raises(Conflict, match=r"^No rollout is under way: ask for one of a recipe first\.$"):
        promote(by=None, reason="urgent")
    ask()
    with pytest.raises(Conflict, match=r"^Recipe 'bold' is in steps: promote it first\.$"):
        serve_everybody(by=None, reason="urgent")
    assert promote(by=None, reason="urgent").status == "promoted"
    assert abs(share_of() - 0.98) < 0.017
    with pytest.raises(Conflict, match=r"^Recipe 'bold' is promoted already\.$"):
        promote(by=None, reason="urgent")
    assert serve_everybody(by=None, reason="urgent").status == "finished"


def test_an_experiment_that_pins_a_recipe_is_left_alone_by_a_rollout(candidate: Recipe) -> None:
    pinned = make_running("pinned", pinned_recipe="standard", range_end=0.5)
    ask()
    promote(by=None, reason="urgent")
    found = assignments()
    inside = [one for one in found if any(served.experiment_key == pinned.key for served in one.served)]
    outside = [one for one in found if one not in inside]
    assert len(inside) > 800
    assert {one.recipe for one in inside} == {"standard"}
    assert {len(one.served) for one in inside} == {1}, "they count in nothing that they do not get"
    assert len([one for one in outside if one.recipe == "bold"]) > 0.95 * len(outside)


def refusal_of(name: str) -> str:
    with pytest.raises(Conflict) as caught:
        ask(name)
    return str(caught.value)


def test_of_what_was_refused_it_is_said_that_staff_may_override_it(candidate: Recipe) -> None:
    version = make_version("drill")
    ModelVersion.objects.filter(pk=version.pk).update(status="refused")
    assert refusal_of("drill") == (
        f"Recipe 'drill' was fitted and refused (version {version.name}): override the refusal on that"
        " version's page, as staff may, or fit it again, which tests it (manage.py train --recipe drill)."
    )
    ModelVersion.objects.filter(pk=version.pk).update(artifact="")
    assert refusal_of("drill") == (
        f"Recipe 'drill' was fitted and refused (version {version.name}): fit it, which tests it (manage.py"
        " train --recipe drill)."
    )


def test_all_of_it_is_in_the_ledger(candidate: Recipe, clock: SimulatedClock) -> None:
    rollout = ask()
    go_through_steps(clock)
    roll_back(by=None, reason="complaints")
    kinds = Decision.objects.filter(experiment=rollout.experiment_id).order_by("id")
    assert list(kinds.values_list("kind", flat=True)) == [
        "start",
        "advance",
        "advance",
        "promote",
        "roll_back",
    ]


def test_the_policy_changes_by_the_candidate_that_shipped_alone(candidate: Recipe) -> None:
    version = ServingPolicy.objects.get().version
    rollout = ask()
    promote(by=None, reason="urgent")
    assert ServingPolicy.objects.get().version == version
    serve_everybody(by=None, reason="urgent")
    assert ServingPolicy.objects.get().version == version + 1
    assert Experiment.objects.get(pk=rollout.experiment_id).state == "completed"
    roll_up()


# --- At the command line -------------------------------------------------------------------------


def run(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_line_leads_a_recipe_there_and_back(candidate: Recipe) -> None:
    asked = run("promote", "bold", "--reason", BETTER)
    assert (asked["status"], asked["against"], asked["timed"]) == ("running", "standard", True)
    assert run("promote", "bold", "--reason", "urgent", "--now")["status"] == "promoted"
    assert run("promote", "bold", "--reason", "urgent", "--everybody")["status"] == "finished"
    assert share_of() == 1
    assert run("roll_back", "--reason", "complaints") == {
        "rollout": asked["rollout"],
        "recipe": "bold",
        "serves": "standard",
    }
    assert share_of() == 0


def test_the_command_line_leads_only_the_recipe_that_it_names(candidate: Recipe) -> None:
    ask()
    with pytest.raises(CommandError, match=r"bold is being rolled out, not other\."):
        run("promote", "other", "--reason", "urgent", "--now")


def test_what_was_not_tested_beside_what_serves_is_refused() -> None:
    make_version("bold")
    with pytest.raises(Conflict) as caught:
        ask()
    assert str(caught.value) == (
        "Recipe 'bold' was not tested beside 'standard', which serves: fit it, which tests it (manage.py"
        " train --recipe bold)."
    )
