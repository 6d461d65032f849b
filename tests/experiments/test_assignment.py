"""What serves a unit: the policy, and over it the variants of the experiments that it is in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import Strategy, parse_strategy
from apps.core.clock import SimulatedClock
from apps.experiments.models import Phase
from apps.experiments.policy import current_policy, forget_policy
from apps.experiments.running import forget_field, read_field
from apps.experiments.services import (
    Assignment,
    Attributes,
    Other,
    advance,
    assign,
    change_holdout,
    group_of,
    override,
    pause,
    resume,
    stop,
)
from tests.experiments.setup import HYBRID, POPULAR, make_experiment, make_running, make_running_recipes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

UNITS = [UUID(int=number) for number in range(60)]


def strategy(data: dict[str, Any]) -> Strategy:
    return parse_strategy(data, ARMS)


def variants(units: Sequence[UUID] = UNITS, **attributes: Any) -> dict[UUID, str]:
    """Of those that are in the one experiment."""
    found = {unit: assign(unit, Attributes(**attributes)).served for unit in units}
    return {unit: served[0].variant for unit, served in found.items() if served}


def assert_only_the_policy(unit: UUID | None) -> None:
    policy = current_policy()
    assert assign(unit) == Assignment(policy.strategy, policy.recipe, policy.version)


@contextmanager
def asking(number: int) -> Iterator[None]:
    """That many queries."""
    with CaptureQueriesContext(connection) as captured:
        yield
    assert len(captured) == number, "\n".join(query["sql"] for query in captured)


def test_a_unit_gets_one_strategy_and_one_recipe() -> None:
    make_running("strategies")
    make_running_recipes("recipes", recipes=["standard", "wide"])
    found = {unit: assign(unit) for unit in UNITS}
    for assignment in found.values():
        by_layer = {one.layer: one for one in assignment.served}
        assert set(by_layer) == {"strategy", "recipe"}
        served = {"control": HYBRID, "treatment": POPULAR}[by_layer["strategy"].variant]
        assert (assignment.strategy, assignment.recipe) == (strategy(served), by_layer["recipe"].variant)
        assert all(one.counted and one.phase == 1 for one in assignment.served)
    assert len({(one.strategy, one.recipe) for one in found.values()}) == 4


def test_a_unit_keeps_its_variant_and_nobody_in_particular_has_none() -> None:
    make_running("test")
    assert variants() == variants()
    assert set(variants().values()) == {"control", "treatment"}
    assert_only_the_policy(None)


def test_what_does_not_run_serves_nobody(boss: User) -> None:
    make_experiment("draft")
    assert variants() == {}
    make_running("test")
    before = variants()
    pause(key="test", by=boss, reason="A look")
    assert variants() == {}
    assert_only_the_policy(UNITS[0])
    resume(key="test", by=boss, reason="It was nothing")
    assert variants() == before
    stop(key="test", by=boss, reason="Enough")
    assert variants() == {}


def test_only_who_is_targeted_takes_part() -> None:
    make_running("test", segments=("regular",), languages=("en",), age_from_days=7.0)
    meant = {"user_segment": "regular", "language": "en", "age_days": 7.0}
    assert len(variants(**meant)) == len(UNITS)
    for other in ({"user_segment": "cold"}, {"language": "de"}, {"age_days": 6.9}, {"age_days": None}):
        assert variants(**meant | other) == {}
    assert variants(**meant, is_staff=True) == variants(**meant, is_imported=True) == {}


def test_the_holdout_takes_part_in_nothing(boss: User) -> None:
    make_running("test")
    make_running_recipes("recipes", recipes=["standard", "wide"])
    change_holdout(share=0.5, by=boss, reason="a test")
    served = [len(assign(unit).served) for unit in UNITS]
    assert set(served) == {0, 2}
    assert_only_the_policy(UNITS[served.index(0)])


def test_who_is_put_there_by_hand_is_served_and_not_counted(boss: User) -> None:
    make_running("test", ramp=({"coverage": 0.001}, {"coverage": 1}))
    override(key="test", unit_key=UNITS[0], variant="treatment", by=boss, reason="To show it")
    (served,) = assign(UNITS[0], Attributes(is_staff=True)).served
    assert (served.variant, served.counted) == ("treatment", False)
    assert assign(UNITS[0]).strategy == strategy(POPULAR)


def test_who_is_put_into_one_by_hand_does_not_count_in_another_of_the_layer(boss: User) -> None:
    unit = UNITS[0]
    make_running("low", range_end=0.5)
    make_running("high", range_start=0.5)
    (own,) = assign(unit).served
    other = {"low": "high", "high": "low"}[own.experiment_key]
    override(key=other, unit_key=unit, variant="treatment", by=boss, reason="To show it")
    (served,) = assign(unit).served
    assert (served.experiment_key, served.variant, served.counted) == (other, "treatment", False)
    assert assign(unit).strategy == strategy(POPULAR)


def test_a_ramp_takes_more_in_and_moves_nobody(boss: User, clock: SimulatedClock) -> None:
    steps = ({"coverage": 0.1, "hours": 1}, {"coverage": 0.5, "hours": 1}, {"coverage": 1})
    make_running("test", ramp=steps)
    before: dict[UUID, str] = {}
    for _ in range(2):
        clock.move_by(timedelta(days=100))
        now = variants()
        assert before.items() <= now.items()
        assert len(before) < len(now) < len(UNITS)
        before = now
        advance(key="test", units=0)
    assert before.items() < variants().items()
    assert len(variants()) == len(UNITS)


def test_what_other_variants_would_serve_goes_with_all_else_that_serves_the_unit() -> None:
    """In either order of the keys."""
    make_running("m-strategies", only_differing=True)
    make_running_recipes("a-recipes", recipes=["standard", "wide"], only_differing=True)
    for unit in UNITS[:20]:
        found = assign(unit)
        other_strategy = strategy(POPULAR if found.strategy == strategy(HYBRID) else HYBRID)
        other_recipe = "wide" if found.recipe == "standard" else "standard"
        assert set(found.others) == {
            Other("m-strategies", other_strategy, found.recipe),
            Other("a-recipes", found.strategy, other_recipe),
        }


def test_what_others_would_serve_is_asked_of_those_alone_who_count(boss: User) -> None:
    off = {"control": HYBRID, "treatment": POPULAR, "off": {"arms": {"svd": 1}}}
    weights = {"control": 0.5, "treatment": 0.5, "off": 0.0}
    make_running("test", only_differing=True, strategies=off, weights=weights)
    assert [len(assign(unit).others) for unit in UNITS] == [1] * len(UNITS)
    override(key="test", unit_key=UNITS[0], variant="off", by=boss, reason="To show it")
    assert assign(UNITS[0]).others == ()


def test_an_experiment_with_an_arm_that_is_gone_serves_nobody_and_can_be_ended(
    boss: User, caplog: pytest.LogCaptureFixture
) -> None:
    make_running("low", range_end=0.5)
    make_running("high", range_start=0.5)
    phase = Phase.objects.get(experiment="low")
    phase.plan["variants"][0]["strategy"]["arms"] = {"gone": 1.0}
    phase.save(update_fields=["plan"])
    assert {one.experiment_key for unit in UNITS for one in assign(unit).served} == {"high"}
    assert "plan_unreadable phase=low, phase 1" in caplog.text
    pause(key="low", by=boss, reason="It cannot serve")
    assert stop(key="low", by=boss, reason="It cannot serve").state == "completed"


def test_this_process_sees_a_change_at_once(
    boss: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.VERSION_TTL_SECONDS = 600.0
    assert variants() == {}
    with django_capture_on_commit_callbacks(execute=True):
        make_running("test")
    assert len(variants()) == len(UNITS)
    with django_capture_on_commit_callbacks(execute=True):
        override(key="test", unit_key=UNITS[0], variant="control", by=boss, reason="To show it")
    assert not assign(UNITS[0]).served[0].counted
    with django_capture_on_commit_callbacks(execute=True):
        change_holdout(share=0.5, by=boss, reason="a test")
    assert len(variants()) < len(UNITS)
    with django_capture_on_commit_callbacks(execute=True):
        stop(key="test", by=boss, reason="Enough")
    assert variants() == {}


def test_a_warm_process_asks_nothing(settings: Any) -> None:
    settings.VERSION_TTL_SECONDS = 600.0
    make_running("test")
    forget_policy()
    forget_field()
    assign(UNITS[0])
    with asking(0):
        assert len(variants()) == len(UNITS)


@pytest.mark.parametrize("number", [1, 6])
def test_the_field_is_read_in_four_queries_however_much_runs(number: int, boss: User) -> None:
    for place in range(number):
        make_running(f"test-{place}", range_start=place / number, range_end=(place + 1) / number)
        for unit in UNITS[: number * 2]:
            override(key=f"test-{place}", unit_key=unit, variant="control", by=boss, reason="a test")
    with asking(4):
        assert len(read_field().live) == number


def test_a_field_where_nothing_runs_is_read_in_two_queries() -> None:
    make_experiment("draft")
    with asking(2):
        assert read_field().live == ()


def test_where_a_unit_stands_is_told_with_its_reasons(boss: User) -> None:
    make_running("low", range_end=0.5)
    make_running("high", range_start=0.5)
    make_running_recipes("recipes", recipes=["standard", "wide"], segments=("power",))
    override(key="recipes", unit_key=UNITS[1], variant="wide", by=boss, reason="To show it")
    placed = {key: group_of(UNITS[0], key).placement for key in ("high", "low", "recipes")}
    reasons = {key: one.reason for key, one in placed.items()}
    assert reasons["recipes"] == "not targeted: the segment is unknown, not power"
    (outside,) = (placed[key] for key in ("high", "low") if not placed[key].is_in)
    owned = {"low": "0 to 0.5", "high": "0.5 to 1"}[outside.key]
    assert outside.reason == f"at {outside.layer_bucket:.4f} of the layer, and the experiment has {owned}"
    assert "assigned by the split" in reasons.values()
    assert group_of(UNITS[1], "recipes").placement.reason == "put there by hand, so not counted"
