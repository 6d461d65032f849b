"""A unit is put into a variant by hand or by a link, and who is in no experiment at all."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from apps.accounts.models import User
from apps.core.errors import ApplicationError, InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.models import Experiment, Holdout, Override
from apps.experiments.services import (
    change_experiment,
    change_holdout,
    design_of,
    follow_link,
    group_of,
    link_token,
    override,
    remove_override,
    stop,
)
from tests.experiments.setup import HYBRID, POPULAR, make_design, make_experiment, make_running
from tests.factories import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable")]

UNIT = UUID(int=7)


def assert_refused(said: str, act: Callable[..., object], **options: Any) -> None:
    with pytest.raises(ApplicationError, match=f"^{re.escape(said)}$"):
        act(**options)


def standing(unit: UUID = UNIT) -> tuple[str | None, bool]:
    found = group_of(unit, "test").placement
    return found.variant, found.counted


@pytest.mark.parametrize("variant", ["control", "treatment"])
def test_an_override_puts_the_unit_there_and_is_recorded(variant: str, boss: User) -> None:
    make_running("test")
    row = override(key="test", unit_key=UNIT, variant=variant, by=boss, reason="To show it")
    assert standing() == (variant, False)
    assert (row.variant, row.reason, row.created_by) == (variant, "To show it", "boss")
    entry = AuditEntry.objects.get(action="experiments.override")
    assert (entry.target_id, entry.after, entry.reason) == ("test", {"variant": variant}, "To show it")
    assert standing(UUID(int=8))[1], "another unit is where its hash puts it"


def test_a_second_override_takes_the_place_of_the_first(boss: User) -> None:
    make_running("test")
    for variant in ("control", "treatment"):
        override(key="test", unit_key=UNIT, variant=variant, by=boss, reason="To show it")
    assert (standing(), Override.objects.count()) == (("treatment", False), 1)


def test_an_override_that_cannot_be_is_refused(boss: User) -> None:
    make_running("test")
    said = "Test test has no variant 'another': control, treatment."
    assert_refused(said, override, key="test", unit_key=UNIT, variant="another", by=boss, reason="a test")
    said = "There is no experiment 'tset'."
    assert_refused(said, override, key="tset", unit_key=UNIT, variant="control", by=boss, reason="a test")
    stop(key="test", by=boss, reason="Enough")
    said = "Test test has ended: nobody is put into it any more."
    assert_refused(said, override, key="test", unit_key=UNIT, variant="control", by=boss, reason="a test")
    assert not Override.objects.exists()


def test_an_override_is_removed_once(boss: User) -> None:
    make_running("test")
    row = override(key="test", unit_key=UNIT, variant="control", by=boss, reason="To show it")
    remove_override(override_id=row.pk, by=boss, reason="Shown")
    assert standing()[1]
    entry = AuditEntry.objects.get(action="experiments.remove_override")
    assert (entry.before, entry.reason) == ({"variant": "control"}, "Shown")
    gone: dict[str, Any] = {"override_id": row.pk, "by": boss}
    assert_refused("This override is gone already.", remove_override, **gone, reason="Shown")
    assert_refused("Say why: it goes into the audit.", remove_override, **gone, reason="")


def test_an_override_of_a_variant_that_an_edit_took_away_puts_nobody_anywhere(boss: User) -> None:
    make_running("test", strategies={"control": HYBRID, "treatment": POPULAR, "third": POPULAR})
    override(key="test", unit_key=UNIT, variant="third", by=boss, reason="To show it")
    assert standing() == ("third", False)
    change_experiment(design=make_design("test"), by=boss, reason="Two are enough")
    assert standing()[0] in ("control", "treatment")
    assert standing()[1]
    assert [one.name for one in design_of(Experiment.objects.get()).variants] == ["control", "treatment"]


@pytest.fixture
def maker(db: None) -> User:
    """May put viewers into variants."""
    return make_staff(username="maker", permissions=["experiments.override_experiment"])


def test_a_link_puts_whoever_follows_it_into_its_variant(maker: User) -> None:
    make_running("test")
    token = link_token(key="test", variant="treatment", by=maker)
    row = follow_link(token=token, unit_key=UNIT)
    assert (standing(), row.reason, row.created_by) == (
        ("treatment", False),
        "Followed a link of maker",
        "",
    )
    assert AuditEntry.objects.get(action="experiments.override").actor_name == "system"


@pytest.mark.parametrize("gone", [{"is_active": False}, {"user_permissions": []}, None])
def test_a_link_of_somebody_who_may_not_make_one_any_more_is_refused(gone: Any, maker: User) -> None:
    make_running("test")
    token = link_token(key="test", variant="treatment", by=maker)
    if gone is None:
        User.objects.filter(pk=maker.pk).update(username="another")
    elif "is_active" in gone:
        User.objects.filter(pk=maker.pk).update(**gone)
    else:
        maker.user_permissions.clear()
    said = "Whoever made this link may not do so any more: ask for a new one."
    assert_refused(said, follow_link, token=token, unit_key=UNIT)
    assert not Override.objects.exists()


@pytest.mark.parametrize("reason", [" ", "x" * 2001, "a\0b"])
def test_nobody_is_put_anywhere_without_a_reason_that_can_be_kept(reason: str, boss: User) -> None:
    make_running("test")
    with pytest.raises(InvalidInput):
        override(key="test", unit_key=UNIT, variant="control", by=boss, reason=reason)
    assert not Override.objects.exists()


@pytest.mark.parametrize(("days", "is_good"), [(6.9, True), (7.1, False)])
def test_a_link_is_good_for_a_week(days: float, is_good: bool, maker: User) -> None:
    make_running("test")
    token = link_token(key="test", variant="treatment", by=maker)
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        if is_good:
            assert follow_link(token=token, unit_key=UNIT).variant == "treatment"
        else:
            said = "This link is older than 7 days: ask for a new one."
            assert_refused(said, follow_link, token=token, unit_key=UNIT)


def test_a_link_that_we_did_not_write_is_refused(boss: User) -> None:
    make_experiment("test")
    token = link_token(key="test", variant="treatment", by=boss)
    body, rest = token.split(":", 1)
    forged = signing.dumps({"key": "test", "variant": "treatment", "by": "boss"}, salt="another")
    for bad in (f"{body[:-2]}xx:{rest}", token[:-1], "", "no link", forged):
        assert_refused("This link is not whole: copy it again.", follow_link, token=bad, unit_key=UNIT)
    assert not Override.objects.exists()


def test_a_holdout_is_in_no_experiment_and_growing_keeps_it(boss: User) -> None:
    make_running("test")
    units = [UUID(int=number) for number in range(200)]
    held: list[set[UUID]] = []
    for share in (0.1, 0.4):
        change_holdout(share=share, by=boss, reason="To see the sum of it all")
        held.append({unit for unit in units if standing(unit)[0] is None})
    assert 0 < len(held[0]) < len(held[1]) < len(units)
    assert held[0] < held[1]
    reasons = {group_of(unit, "test").placement.reason for unit in held[1]}
    assert reasons == {"in the holdout, which is in no experiment"}
    entry = AuditEntry.objects.filter(action="experiments.change_holdout").latest("pk")
    assert (entry.before, entry.after, entry.actor_name) == ({"share": 0.1}, {"share": 0.4}, "boss")


@pytest.mark.parametrize("share", [-0.1, 0.51, float("nan")])
def test_a_holdout_is_up_to_a_half(share: float, boss: User) -> None:
    said = "A holdout is a share from 0 to 0.5."
    assert_refused(said, change_holdout, share=share, by=boss, reason="a test")
    assert not Holdout.objects.filter(share__gt=0).exists()
