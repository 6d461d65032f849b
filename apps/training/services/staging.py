"""By what steps a recipe comes to serve, and how much the site's traffic can tell of it meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil

from django.conf import settings

from apps.core import clock
from apps.experiments.metrics import METRICS, default_guardrails
from apps.experiments.models import Experiment, Phase
from apps.experiments.planning import Power, Site, power_of, site_of
from apps.experiments.services import Design, VariantDesign
from apps.experiments.services.designing import plan_of_design
from apps.experiments.services.phases import standing_of
from apps.training.models import Recipe, Rollout
from apps.training.parameters import split_parameters

CONTROL, CANDIDATE = "control", "candidate"
"""The variants of a rollout."""
HOLDOUT = 0.02
"""Of all who take part, that keeps the recipe before once the candidate is promoted."""
FIRST_COVERAGE = 0.2
MOST_DAYS = 21
"""That a step may take to find what it is there to find; on a site that needs longer steps are timed."""
SECOND_STEP = 2.5
"""How much longer a timed rollout's second step is: with the first, and by the usual setting, a week."""
_GOAL = "ctr"


@dataclass(frozen=True)
class Staging:
    """``units`` are those with which a fall as large as the guardrail allows is found; None where steps are
    timed. ``told`` says either in a sentence.
    """

    units: int | None
    told: str
    guardrails: Mapping[str, float] = field(default_factory=default_guardrails)

    @property
    def is_timed(self) -> bool:
        return self.units is None

    @property
    def horizon_days(self) -> int:
        """Long enough for every step, and as long again for pauses and for waiting."""
        hours = sum(step.get("hours", 0) for step in self.ramp)
        return min(max(28, ceil(2 * hours / 24)), 365)

    @property
    def ramp(self) -> tuple[dict[str, float | int], ...]:
        """The last step covers no more than the one before: who is there is through."""
        hours = settings.ROLLOUT_STEP_HOURS
        if self.units is None:
            return (
                {"coverage": FIRST_COVERAGE, "hours": hours},
                {"coverage": 1.0, "hours": hours * SECOND_STEP},
                {"coverage": 1.0},
            )
        return (
            # Twice the fall takes a quarter of the units.
            {"coverage": FIRST_COVERAGE, "hours": hours, "units": ceil(self.units / 4)},
            {"coverage": 1.0, "hours": hours, "units": self.units},
            {"coverage": 1.0},
        )


def told_guardrails(site: Site, *, learns_alike: bool) -> dict[str, float]:
    """The usual ones, but for those that could not be told.

    One of which nothing was seen lately would hold the rollout for ever; a site without any log has all.
    Novelty is counted by what a version learned from: of recipes that learn from other data it says nothing.
    """
    found = default_guardrails()
    unseen = {name for name in found if site.n_units and not site.has_seen(METRICS[name])} - {_GOAL}
    unlike = set() if learns_alike else {"novelty"}
    return {name: margin for name, margin in found.items() if name not in unseen | unlike}


def staging_of(rollout: Rollout) -> Staging:
    """By what the site saw lately. Three queries once an hour."""
    site = site_of(clock.now())
    guardrails = told_guardrails(site, learns_alike=_learn_alike(rollout))
    design = design_of_rollout(rollout, Staging(None, "", guardrails))
    margin = design.guardrails[_GOAL]
    plan = replace(plan_of_design(design), min_effect=margin, alpha=design.alpha / len(design.guardrails))
    power = power_of(plan, site)
    fall = f"a fall of {METRICS[_GOAL].title} by {margin:.0%}"
    if power is not None and power.days_needed is not None and power.days_needed <= MOST_DAYS:
        told = f"In {plan.power:.0%} of cases {fall} is found with {_spent(power)}."
        return Staging(round(power.units_needed), told, guardrails)
    if power is None:
        why = "The log of the last two weeks tells too little to say what could be found"
    else:
        why = f"This site is too small for statistics: to find {fall} takes {_spent(power)}"
    return Staging(
        None,
        f"{why}. So the steps are timed, and the guardrails find only what is far worse than that.",
        guardrails,
    )


def design_of_rollout(rollout: Rollout, staging: Staging) -> Design:
    purpose = Experiment.Purpose.TIMED_ROLLOUT if staging.is_timed else Experiment.Purpose.ROLLOUT
    return Design(
        key=f"rollout-{rollout.pk}-{rollout.recipe.name}"[:60],
        name=f"Rollout of {rollout.recipe.name}",
        layer="recipe",
        hypothesis=f"{rollout.recipe.name} serves no worse than {rollout.against}. {staging.told}".strip(),
        variants=(
            VariantDesign(CONTROL, 0.5, is_control=True, recipe=rollout.against),
            VariantDesign(CANDIDATE, 0.5, recipe=rollout.recipe.name),
        ),
        goals=(_GOAL,),
        guardrails=staging.guardrails,
        horizon_days=staging.horizon_days,
        test=Experiment.Test.ANY_TIME.value,
        ramp=staging.ramp,
        purpose=purpose.value,
    )


def _learn_alike(rollout: Rollout) -> bool:
    before = Recipe.objects.filter(name=rollout.against).first()
    sources = [split_parameters(one.parameters).data for one in (rollout.recipe, before) if one]
    return len(set(sources)) < 2


def is_through(phase: Phase) -> bool:
    """Whether the steps of a rollout are behind it."""
    standing = standing_of(phase)
    return standing.is_last and standing.step > 0


def _spent(power: Power) -> str:
    days = f"{power.days_needed:,} days" if power.days_needed else "more than a year"
    return f"{power.units_needed:,.0f} units, which takes {days} at {power.units_a_day:,.1f} a day"
