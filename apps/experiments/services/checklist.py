"""What must hold before an experiment starts, in words."""

from dataclasses import dataclass

from apps.algorithms.strategy import InvalidStrategy
from apps.core import clock
from apps.core.errors import ApplicationError, Conflict
from apps.experiments.models import Experiment, Layer
from apps.experiments.planning import SITE_DAYS, Power, is_partly_unknown, power_of, site_of
from apps.experiments.plans import Plan, planned
from apps.experiments.policy import current_policy
from apps.experiments.requirements import require_servable, unknown_recipe
from apps.experiments.services.phases import open_plans

LEAST_HORIZON_DAYS = 7
LEAST_POWER = 0.5


@dataclass(frozen=True)
class Check:
    """``said`` is a sentence, whether it holds or not. One that ``takes_reason`` may be passed over."""

    name: str
    is_ok: bool
    said: str
    takes_reason: bool = False


def checklist(experiment: Experiment) -> list[Check]:
    """Every check, in the order in which one would mend them."""
    try:
        plan = planned(experiment)
    except InvalidStrategy as refusal:
        said = f"A variant cannot serve any more: {refusal} Change it."
        return [_range_check(experiment), Check("serving", False, said)]
    return [
        _range_check(experiment),
        _serving_check(plan),
        _differing_check(plan),
        _targeting_check(plan),
        _horizon_check(plan),
        _power_check(plan),
    ]


def require_checked(experiment: Experiment, *, act: str, reason: str) -> None:
    """Raises ``Conflict`` with all that stands against this act, such as ``start``.

    What is only warned of takes a ``reason``. Locks the layer to the end of the transaction: two who ask for
    one range at once are asked one after the other.
    """
    Layer.objects.select_for_update().get(pk=experiment.layer_id)
    missed = [check for check in checklist(experiment) if not check.is_ok]
    refused = [check.said for check in missed if not check.takes_reason]
    if refused:
        raise Conflict(f"{experiment} cannot {act}: {' '.join(refused)}")
    if missed and not reason.strip():
        warned = " ".join(check.said for check in missed)
        raise Conflict(f"{experiment} needs a reason to {act}: {warned}")


def range_refusal(experiment: Experiment) -> str | None:
    """Why the range cannot be the experiment's own; None where it can."""
    others = Experiment.objects.owning_a_range().filter(layer_id=experiment.layer_id)
    for other in others.exclude(pk=experiment.pk).order_by("range_start"):
        start = max(experiment.range_start, other.range_start)
        end = min(experiment.range_end, other.range_end)
        if start < end:
            return (
                f"{other} has {other.range_start:g} to {other.range_end:g} of the layer, and both would have"
                f" {start:g} to {end:g}: choose a range beside it, or end it first."
            )
    return None


def _range_check(experiment: Experiment) -> Check:
    refusal = range_refusal(experiment)
    own = f"{experiment.range_start:g} to {experiment.range_end:g} of the layer is nobody else's."
    return Check("range", refusal is None, refusal or own)


def _serving_check(plan: Plan) -> Check:
    """Of what a variant leaves open it gets the policy's, or that of any experiment of the other layer."""
    if unknown := unknown_recipe(plan.pinned_recipe):
        return Check("serving", False, f"Nothing can be pinned: {unknown}")
    policy = current_policy()
    others = [other for _, other in open_plans() if other.kind != plan.kind and not other.pinned_recipe]
    across = [one for other in others for one in other.variants]
    strategies = dict.fromkeys([policy.strategy, *(one.strategy for one in across if one.strategy)])
    recipes = dict.fromkeys([policy.recipe, *(one.recipe for one in across if one.recipe)])
    if plan.pinned_recipe:
        recipes = {plan.pinned_recipe: None}
    for variant in plan.variants:
        for strategy in [variant.strategy] if variant.strategy else strategies:
            for recipe in [variant.recipe] if variant.recipe else recipes:
                try:
                    require_servable(strategy, recipe)
                except ApplicationError as refusal:
                    return Check("serving", False, f"Variant {variant.name} cannot serve: {refusal.detail}")
    return Check("serving", True, "Every variant can serve with the models that there are.")


def _differing_check(plan: Plan) -> Check:
    drawn = [one.name for one in plan.variants if one.strategy and one.strategy.policy == "bandit"]
    if plan.only_differing and drawn:
        said = (
            f"Lists of {' and '.join(drawn)} are drawn by chance, so none can be said to be the same: count"
            " every list."
        )
        return Check("differing", False, said)
    counted = "Only lists that differ count" if plan.only_differing else "Every list counts"
    return Check("differing", True, f"{counted}.")


def _targeting_check(plan: Plan) -> Check:
    """Segments change, with what a variant does to its viewers too; ages and languages do not come of it."""
    if plan.targeting.segments:
        said = (
            "Units leave when their segment changes: a variant that makes people rate more loses those who"
            " did. Compare segments on the results of a test of all instead, if that is enough."
        )
        return Check("targeting", False, said, takes_reason=True)
    return Check("targeting", True, "Whoever is targeted stays so, whatever a variant does.")


def _horizon_check(plan: Plan) -> Check:
    if plan.horizon_days < LEAST_HORIZON_DAYS:
        said = f"A horizon of {plan.horizon_days} days leaves out part of the week."
        return Check("horizon", False, said, takes_reason=True)
    return Check("horizon", True, f"The horizon is {plan.horizon_days} days.")


def told_power(power: Power | None, plan: Plan) -> str:
    """How long the plan takes, in a sentence."""
    if power is None:
        return f"The last {SITE_DAYS} days tell too little to say how long this takes."
    effect = f"{plan.min_effect:.0%} of {power.metric.title}"
    days = f"{power.days_needed} days" if power.days_needed else "more than a year"
    return (
        f"The chance to find {effect} in {plan.horizon_days} days is {power.power:.0%}; finding it in"
        f" {plan.power:.0%} of cases takes {days}, at {power.units_a_day:,.0f} units a day."
    )


def _power_check(plan: Plan) -> Check:
    if is_partly_unknown(plan):
        said = f"The log of {SITE_DAYS} days does not tell how many units are of these languages or ages."
        return Check("power", False, said, takes_reason=True)
    found = power_of(plan, site_of(clock.now()))
    is_ok = found is not None and found.power >= LEAST_POWER
    return Check("power", is_ok, told_power(found, plan), takes_reason=True)
