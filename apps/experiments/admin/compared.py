"""What an experiment compares, as its phase is frozen to it: to be read beside its results."""

from dataclasses import dataclass

from apps.experiments.assigning import Targeting
from apps.experiments.metrics import METRICS
from apps.experiments.models import Experiment
from apps.experiments.plans import Plan, PlannedVariant


@dataclass(frozen=True)
class Fact:
    name: str
    said: str


def facts_of(plan: Plan) -> list[Fact]:
    """Variants with their weights and what they serve, goals, who takes part, and how it is tested."""
    variants = [
        Fact(f"{one.name} ({one.weight:g})", _serves(one) + (", the control" if one.is_control else ""))
        for one in plan.variants
    ]
    who = f"{plan.range_start:g} to {plan.range_end:g} of the layer; {_targeted(plan.targeting)}"
    return [
        *variants,
        *([Fact("Recipe", f"{plan.pinned_recipe}, pinned")] if plan.pinned_recipe else []),
        Fact("Goals", ", ".join(METRICS[name].title for name in plan.goals)),
        Fact("Units", who),
        Fact("Test", f"{dict(Experiment.Test.choices)[plan.test]}, {plan.horizon_days} days"),
    ]


def _serves(variant: PlannedVariant) -> str:
    if variant.strategy is None:
        return f"recipe {variant.recipe}"
    arms, weights = variant.strategy.arms, variant.strategy.weights
    if weights is None:
        return f"the bandit over {', '.join(arms)}"
    parts = zip(arms, weights, strict=True)
    return ", ".join(name if weight == 1 else f"{name} {weight:g}" for name, weight in parts)


def _targeted(targeting: Targeting) -> str:
    said = [*sorted(targeting.segments), *sorted(targeting.languages)]
    if targeting.age_from is not None:
        said.append(f"accounts from {targeting.age_from:g} days")
    if targeting.age_to is not None:
        said.append(f"accounts up to {targeting.age_to:g} days")
    return ", ".join(said) or "anybody"
