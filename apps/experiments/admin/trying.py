"""What a design would do, asked of its form before anything is stored: how long it takes, what it shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.accounts.lookup import user_named
from apps.accounts.models import User
from apps.core import clock
from apps.core.admin.sheets import Column, Sheet, count, share
from apps.core.errors import InvalidInput, NotFound
from apps.experiments.metrics import METRICS
from apps.experiments.planning import Power, assumed_power, power_of, site_of
from apps.experiments.plans import Plan
from apps.experiments.policy import current_policy
from apps.experiments.previews import PreviewedFilm, preview
from apps.experiments.requirements import require_servable
from apps.experiments.services import Design, check_design
from apps.experiments.services.checklist import told_power
from apps.experiments.services.designing import plan_of_design

EFFECTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
N_FILMS = 10
_SHARE = METRICS["clicked_units"]
_INSTEAD = (
    f"Make {_SHARE.title} the deciding goal and say below what you take that share and the units a day to be,"
    " or come back when there were visitors."
)
DURATION = (
    Column("Smallest effect", ("effect",), share),
    Column("Units of all variants", ("units",), count),
    Column("Days", ("days",), count),
    Column("Chance by the horizon", ("chance",), share),
)


@dataclass(frozen=True)
class Forecast:
    """``sheet`` is None where nothing can be said of any effect."""

    said: str
    sheet: Sheet | None


@dataclass(frozen=True)
class PreviewedList:
    """``in_common`` is how many of its films are on the control's list too."""

    variant: str
    films: Sequence[PreviewedFilm]
    in_common: int
    degraded: str


@dataclass(frozen=True)
class Preview:
    viewer: User
    lists: Sequence[PreviewedList]


def forecast(design: Design, given: dict[str, Any]) -> Forecast:
    """How long the design takes, for its own effect and for others. Raises ``InvalidInput``."""
    check_design(design)
    plan = plan_of_design(design)
    goal = METRICS[plan.goals[0]]
    if given["assumed_share"] is not None and goal.shape != "binary":
        said = f"{goal.title} is no share of units: to plan by one, make {_SHARE.title} the deciding goal."
        raise InvalidInput.of("/assumed_share", said)
    assumed = given["assumed_share"], given["assumed_units"]
    found = _power(plan, *assumed)
    if found is None:
        return Forecast(f"{told_power(found, plan)} {_INSTEAD}", None)
    most = (1 - assumed[0]) / assumed[0] if assumed[0] else math.inf
    effects = sorted(one for one in {*EFFECTS, plan.min_effect} if one < most)
    rows = [_row(one, plan.min_effect, *assumed) for one in (replace(plan, min_effect=e) for e in effects)]
    about = (
        f"Of {found.metric.title} at {found.baseline:.3g}, with {found.units_a_day:,.0f} new units a day."
        " Half the effect takes four times the units. A dash is more than a year."
    )
    return Forecast(
        told_power(found, plan),
        Sheet("How long other effects take", DURATION, rows, "", about, main="is_main"),
    )


def previewed(design: Design, name: str) -> Preview:
    """The lists of all variants for one viewer. Raises ``InvalidInput`` where there are none to show."""
    if not name:
        raise InvalidInput.of("/viewer", "Whose lists? Give a name or a number.")
    check_design(design)
    try:
        viewer = user_named(name)
    except NotFound as refusal:
        raise InvalidInput.of("/viewer", refusal.detail) from None
    plan, policy = plan_of_design(design), current_policy()
    variants = sorted(plan.variants, key=lambda one: not one.is_control)
    serving = [
        (one.strategy or policy.strategy, one.recipe or plan.pinned_recipe or policy.recipe)
        for one in variants
    ]
    for strategy, recipe in serving:
        require_servable(strategy, recipe)
    lists = preview(viewer, serving, N_FILMS)
    control = {film.movie_id for film in lists[0].films}
    return Preview(
        viewer,
        [
            PreviewedList(
                one.name,
                found.films,
                len(control.intersection(film.movie_id for film in found.films)),
                found.degraded,
            )
            for one, found in zip(variants, lists, strict=True)
        ],
    )


def _power(plan: Plan, assumed_share: float | None, assumed_units: float | None) -> Power | None:
    """By the log, where that tells enough: what it tells is better than what one takes it to be."""
    found = power_of(plan, site_of(clock.now()))
    if found is not None or assumed_share is None or assumed_units is None:
        return found
    return assumed_power(plan, assumed_share, assumed_units)


def _row(plan: Plan, main: float, assumed_share: float | None, assumed_units: float | None) -> dict[str, Any]:
    found = _power(plan, assumed_share, assumed_units)
    return {
        "effect": plan.min_effect,
        "units": found.units_needed if found else None,
        "days": found.days_needed if found else None,
        "chance": found.power if found else None,
        "is_main": plan.min_effect == main,
    }
