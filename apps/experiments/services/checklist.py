"""What must hold before an experiment starts, in words."""

from dataclasses import dataclass

from apps.core.errors import ApplicationError
from apps.experiments.models import Experiment, Layer
from apps.experiments.plans import Plan, planned
from apps.experiments.policy import current_policy
from apps.experiments.requirements import require_servable

LEAST_HORIZON_DAYS = 7


@dataclass(frozen=True)
class Check:
    """``said`` is a sentence, whether it holds or not. One that ``takes_reason`` may be passed over."""

    name: str
    is_ok: bool
    said: str
    takes_reason: bool = False


def checklist(experiment: Experiment) -> list[Check]:
    """Every check, in the order in which one would mend them. Four queries and those of its recipes."""
    plan = planned(experiment)
    return [
        _range_check(experiment),
        _serving_check(plan),
        _differing_check(plan),
        _horizon_check(plan),
    ]


def range_refusal(experiment: Experiment) -> str | None:
    """Why the range cannot be the experiment's own; None where it can. Locks the layer."""
    Layer.objects.select_for_update().get(pk=experiment.layer_id)
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
    policy = current_policy()
    for variant in plan.variants:
        try:
            require_servable(variant.strategy or policy.strategy, variant.recipe or policy.recipe)
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


def _horizon_check(plan: Plan) -> Check:
    if plan.horizon_days < LEAST_HORIZON_DAYS:
        said = f"A horizon of {plan.horizon_days} days leaves out part of the week."
        return Check("horizon", False, said, takes_reason=True)
    return Check("horizon", True, f"The horizon is {plan.horizon_days} days.")
