"""What serves a unit: the policy, and over it the variants of the experiments that it is in."""

from dataclasses import dataclass, replace
from uuid import UUID

from apps.algorithms.strategy import Strategy
from apps.core.errors import NotFound
from apps.events.insertion import Served
from apps.experiments.assigning import Attributes, Holdout, Placement, Running, place
from apps.experiments.plans import PlannedVariant
from apps.experiments.policy import current_policy
from apps.experiments.running import Field, read_field, running_field

NOBODY = Attributes()


@dataclass(frozen=True)
class Group:
    """Where a unit stands to one experiment, and by what. ``variant`` is None where it is not in it.

    ``running`` and ``holdout`` are all that the placement follows from besides the unit.
    """

    experiment_name: str
    placement: Placement
    variant: PlannedVariant | None
    running: Running
    holdout: Holdout | None


@dataclass(frozen=True)
class Other:
    """What another variant of an experiment would have served in the place of the unit's own."""

    experiment_key: str
    strategy: Strategy
    recipe: str


@dataclass(frozen=True)
class Assignment:
    """What serves a unit: a strategy, the recipe whose model it uses, and under which variants.

    While ``bandit_suspended`` a bandit's arms serve by fixed weights. ``others`` are what the other variants
    would serve, of experiments that only count a list that differs.
    """

    strategy: Strategy
    recipe: str
    policy_version: int
    served: tuple[Served, ...] = ()
    bandit_suspended: bool = False
    others: tuple[Other, ...] = ()


def assign(unit_key: UUID | None, attributes: Attributes = NOBODY) -> Assignment:
    """What serves this unit. ``unit_key`` None is nobody in particular: the policy itself.

    ``attributes`` are the unit's own at this moment, for targeting. No query but once in two seconds.
    """
    policy = current_policy()
    assignment = Assignment(
        policy.strategy, policy.recipe, policy.version, bandit_suspended=policy.bandit_suspended
    )
    if unit_key is None:
        return assignment
    field = running_field()
    placements = _placed(unit_key, attributes, field)
    for placement in placements:
        assignment = _under(assignment, placement, field)
    others = [other for placement in placements for other in _others(assignment, placement, field)]
    return replace(assignment, others=tuple(others))


def group_of(unit_key: UUID, key: str, attributes: Attributes = NOBODY) -> Group:
    """Where the unit stands to one experiment now. At most four queries.

    Raises ``NotFound`` for an experiment that does not run.
    """
    field = read_field()
    placements = place(str(unit_key), attributes, field.runnings, field.holdout)
    found = zip(placements, field.runnings, strict=True)
    placement, running = next(((one, of) for one, of in found if one.key == key), (None, None))
    if placement is None or running is None:
        raise NotFound(f"No experiment {key!r} runs.")
    variant = field.plan(key).variant(placement.variant) if placement.variant else None
    return Group(field.name(key), placement, variant, running, field.holdout)


def _placed(unit_key: UUID, attributes: Attributes, field: Field) -> list[Placement]:
    if not field.live:
        return []
    found = place(str(unit_key), attributes, field.runnings, field.holdout)
    return [one for one in found if one.is_in]


def _under(assignment: Assignment, placement: Placement, field: Field) -> Assignment:
    plan = field.plan(placement.key)
    variant = plan.variant(placement.variant or "")
    served = Served(placement.key, placement.kind, placement.phase, variant.name, placement.counted)
    under = _serving(assignment, variant)
    # Whoever is in one that pins the recipe is in none of recipes.
    return replace(under, recipe=plan.pinned_recipe or under.recipe, served=(*assignment.served, served))


def _others(assignment: Assignment, placement: Placement, field: Field) -> list[Other]:
    """Beside all else that serves the unit. A variant without weight would serve nobody."""
    plan = field.plan(placement.key)
    if not plan.only_differing or not placement.counted:
        return []
    rest = [one for one in plan.variants if one.name != placement.variant and one.weight > 0]
    found = [_serving(assignment, one) for one in rest]
    return [Other(placement.key, one.strategy, one.recipe) for one in found]


def _serving(assignment: Assignment, variant: PlannedVariant) -> Assignment:
    return replace(
        assignment,
        strategy=variant.strategy or assignment.strategy,
        recipe=variant.recipe or assignment.recipe,
    )
