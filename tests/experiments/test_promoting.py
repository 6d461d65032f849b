"""A rollout's variant that is promoted: nobody leaves it, and whoever keeps the recipe before had it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.core.errors import ApplicationError
from apps.core.models import AuditEntry
from apps.experiments.assigning import Attributes, place
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.services import create_experiment, pause, promote, roll_back, ship, start, stop, undo
from tests.experiments.setup import make_recipe_design, make_running, make_version
from tests.experiments.test_assigning import TEST, UNITS, bound, placed

pytestmark = pytest.mark.usefixtures("servable")

RAMP = ({"coverage": 0.2, "hours": 24}, {"coverage": 1.0})


@given(
    weight=st.floats(0.01, 0.9),
    holdout=st.floats(0.001, 0.99),
    coverage=st.floats(0.01, 1),
    salt=st.text(min_size=1, max_size=6),
    names=st.sampled_from([("control", "candidate"), ("a", "z"), ("z", "a")]),
)
@pytest.mark.django_db
def test_nobody_leaves_the_variant_however_it_is_promoted(
    weight: float, holdout: float, coverage: float, salt: str, names: tuple[str, str]
) -> None:
    """As ``promote`` does it: the control first, a part that shrinks, one split, all of the range."""
    control, candidate = names
    kept = min(holdout, 1 - weight)
    before = replace(
        TEST, coverage=coverage, split_salt=salt, weights={control: 1 - weight, candidate: weight}
    )
    after = replace(before, coverage=1.0, weights={control: kept, candidate: 1 - kept})
    for unit in UNITS[:60]:
        (was,), (now,) = (place(unit, Attributes(), [one]) for one in (before, after))
        assert now.is_in
        if was.variant == candidate:
            assert now.variant == candidate
        if now.variant == control and was.is_in:
            assert was.variant == control


def make_rollout(key: str = "roll", **values: Any) -> Experiment:
    make_version("bold")
    options = {"purpose": "rollout", "ramp": RAMP, "test": "any_time", **values}
    design = make_recipe_design(key, recipes=["standard", "bold"], **options)
    create_experiment(design=design, by=None)
    return start(key=key, by=None, reason="a test")


@pytest.mark.django_db
def test_a_promotion_begins_a_phase_of_the_same_split_in_ledger_and_audit(
    boss: User, clock: SimulatedClock
) -> None:
    make_rollout()
    promoted = promote(key="roll", variant="bold", holdout=0.02, by=boss, reason="urgent")
    assert (promoted.state, promoted.ramp) == ("running", [])
    assert dict(promoted.variants.values_list("name", "weight")) == {"standard": 0.02, "bold": 0.98}
    one, two = Phase.objects.order_by("number")
    assert (one.split_salt, one.ended_at is None, two.ended_at) == (two.split_salt, False, None)
    assert one.digest != two.digest
    entry = Decision.objects.latest("pk")
    assert (entry.kind, entry.phase, entry.by, entry.reason) == ("promote", 2, "boss", "urgent")
    assert AuditEntry.objects.get(action="experiments.promote").actor_id == boss.pk


def test_a_part_of_the_split_that_shrinks_keeps_its_share() -> None:
    after = placed(replace(TEST, weights={"control": 0.02, "treatment": 0.98}))
    held = sum(variant == "control" for variant in after.values())
    assert abs(held - 0.02 * len(UNITS)) < bound(0.02, len(UNITS))


GIVEN: dict[str, Any] = {"variant": "bold", "holdout": 0.02, "reason": "urgent"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": " "}, "Say why: it goes into the audit."),
        ({"variant": "standard"}, "Name the recipe's variant of Test roll, and a part held out."),
        ({"variant": "nobody"}, "Name the recipe's variant of Test roll, and a part held out."),
        ({"holdout": 0.0}, "Name the recipe's variant of Test roll, and a part held out."),
        ({"holdout": 1.0}, "Name the recipe's variant of Test roll, and a part held out."),
        ({"holdout": float("nan")}, "Name the recipe's variant of Test roll, and a part held out."),
        ({"key": "nowhere"}, "There is no experiment 'nowhere'."),
    ],
)
def test_what_is_not_promoted_is_said(changed: dict[str, Any], said: str) -> None:
    make_rollout()
    with pytest.raises(ApplicationError) as refusal:
        promote(**{"key": "roll", "by": None, **GIVEN, **changed})
    assert str(refusal.value) == said
    assert Phase.objects.count() == 1
    assert set(Experiment.objects.get().variants.values_list("weight", flat=True)) == {0.5}


@pytest.mark.django_db
def test_what_is_no_rollout_is_not_promoted(boss: User) -> None:
    make_running("test")
    with pytest.raises(ApplicationError) as refusal:
        promote(key="test", by=boss, **GIVEN)
    assert str(refusal.value) == "Test test is no rollout: ship its winner instead."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "said"),
    [
        (pause, "Test roll is paused, not running."),
        (stop, "Test roll is completed, not running."),
        (roll_back, "Test roll is rolled back, not running."),
        (None, "Test roll is promoted already."),
    ],
)
def test_it_is_promoted_once_and_while_it_runs(act: Any, said: str, boss: User) -> None:
    make_rollout()
    if act is None:
        promote(key="roll", by=boss, **GIVEN)
    else:
        act(key="roll", by=boss, reason="a test")
    with pytest.raises(ApplicationError) as refusal:
        promote(key="roll", by=boss, **GIVEN)
    assert str(refusal.value) == said


@pytest.mark.django_db
def test_a_promotion_is_not_undone_and_what_comes_after_it_is(boss: User) -> None:
    make_rollout()
    promote(key="roll", by=boss, **GIVEN)
    with pytest.raises(ApplicationError) as refusal:
        undo(decision_id=Decision.objects.latest("pk").pk, by=boss, reason="no")
    assert str(refusal.value) == "This entry of the ledger cannot be undone."
    ship(key="roll", variant="bold", by=boss, reason="done")
    undo(decision_id=Decision.objects.latest("pk").pk, by=boss, reason="too soon")
    experiment = Experiment.objects.get()
    assert experiment.state == "running"
    assert experiment.variants.get(name="bold").weight == 0.98
