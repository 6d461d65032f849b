"""A candidate that is rolled out, and whom it serves."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import override_settings

from apps.accounts.models import User
from apps.core.clock import SimulatedClock
from apps.experiments.contributions import PARTS
from apps.experiments.metrics import GUARDRAILS
from apps.experiments.models import Decision, LatencyDay, Phase, Snapshot
from apps.experiments.policy import forget_policy
from apps.experiments.running import forget_field
from apps.experiments.services import Assignment, assign, watch
from apps.training.models import BackTest, Recipe, Rollout
from apps.training.services import reconcile_rollouts
from apps.training.services.rollouts import (
    ask_for_rollout,
)
from apps.training.services.staging import CANDIDATE, CONTROL
from tests.experiments.conftest import boss, clock, nothing_kept, servable
from tests.experiments.setup import make_version

__all__ = ["boss", "clock", "nothing_kept", "servable"]

UNITS = [UUID(int=number) for number in range(2_000)]
BETTER = "it ranks better"


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing is kept of another test's traffic."""
    cache.clear()
    yield
    cache.clear()


def make_candidate(name: str, *, beside: Sequence[str] = ("standard",)) -> Recipe:
    """A recipe with a version that serves nobody, which passed its test beside those that serve."""
    recipe = make_version(name).recipe
    for against in beside:
        BackTest.objects.create(
            recipe=recipe, against=against, n_train=1, n_test=1, n_people=1, passed=True, seconds=1.0
        )
    return recipe


@pytest.fixture
def candidate() -> Recipe:
    return make_candidate("bold")


def ask(recipe: str = "bold", by: User | None = None) -> Rollout:
    return ask_for_rollout(recipe=recipe, by=by, reason=BETTER)


def served_by(units: Sequence[UUID] = UNITS) -> dict[str, set[UUID]]:
    """Units by the recipe that serves them."""
    found: dict[str, set[UUID]] = {}
    for unit, assignment in zip(units, assignments(units), strict=True):
        found.setdefault(assignment.recipe, set()).add(unit)
    return found


def assignments(units: Sequence[UUID] = UNITS) -> list[Assignment]:
    """What serves each, all by one look at what runs."""
    forget_policy()
    forget_field()
    with override_settings(VERSION_TTL_SECONDS=60):
        found = [assign(unit) for unit in units]
    forget_policy()
    forget_field()
    return found


def share_of(recipe: str = "bold") -> float:
    return len(served_by().get(recipe, ())) / len(UNITS)


def count(
    clicked: Sequence[float] = (200, 200), *, units: Sequence[float] = (2000, 2000), **values: Any
) -> None:
    """What the roll-up keeps of the open phase's first day: units, of which so many click, each one film."""
    phase = Phase.objects.get(ended_at=None)
    for variant, n, top in zip((CONTROL, CANDIDATE), units, clicked, strict=True):
        row = {"n": n, "top": top, "top_squares": top, "bottom": n, "bottom_squares": n, "products": top}
        for name in ("lists_per_unit", *GUARDRAILS):
            key = {"experiment": phase.experiment, "phase": phase.number, "axis": "day", "metric": name}
            key |= {"variant": variant, "step": phase.started_at.date().toordinal(), **values}
            Snapshot.objects.update_or_create(**key, defaults=row)
        day = {"experiment": phase.experiment, "phase": phase.number, "variant": variant}
        LatencyDay.objects.update_or_create(**day, day=phase.started_at.date(), counts={"100": 900})


def expose(n_lists: int = 1) -> None:
    """One unit has the candidate of the open rollout, by as many lists more; nothing else is counted."""
    phase = Phase.objects.get(ended_at=None, experiment__layer_id="recipe")
    key = {"experiment": phase.experiment, "phase": phase.number, "axis": "day", "metric": "lists_per_unit"}
    key |= {"variant": CANDIDATE, "step": phase.started_at.date().toordinal()}
    row, _ = Snapshot.objects.get_or_create(**key, defaults=dict.fromkeys(PARTS, 0.0))
    row.n, row.top = 1, row.top + n_lists
    row.save()


def go_through_steps(clock: SimulatedClock) -> None:
    """Of a timed rollout that one unit has, looked at every six hours."""
    for _ in range(7 * 4 + 1):
        clock.move_by(timedelta(hours=6))
        expose()
        watch()
        reconcile_rollouts()


def the_one() -> Rollout:
    return Rollout.objects.select_related("recipe", "experiment").get()


def last(rollout: Rollout) -> Decision:
    return Decision.objects.filter(experiment=rollout.experiment_id).order_by("-id")[0]
