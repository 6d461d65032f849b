"""What served when: the policy's recipe, the rollouts beside it, and the version of each recipe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from apps.core.models import AuditEntry
from apps.experiments.models import Decision, Layer, Phase
from apps.experiments.plans import phase_steps
from apps.experiments.policy import read_policy
from apps.experiments.ramping import Entry, standing
from apps.training.models import Activation, Recipe, Rollout
from apps.training.told_by import told_by_activations, told_by_decision, told_by_policy

MOST_ROWS = 500
POLICY_CHANGE = "policy.change"
Kind = Decision.Kind
_HALTS = (Kind.PAUSE, Kind.STOP, Kind.SHIP, Kind.ROLL_BACK)
_DECIDES_RECIPE = Q(experiment__layer_id=Layer.Kind.RECIPE) | Q(plan__has_key="pinned_recipe")
"""Of phases: those of recipes, and those of strategies that pin one."""
_NOBODY = 1e-9
"""Of a share: what rounding leaves."""
Spot = tuple[str, str]
"""A recipe, and what gives it."""


@dataclass(frozen=True)
class Moment:
    """Something that changed what serves. ``by`` says in words whose act it was (``told_by``)."""

    at: datetime
    what: str
    recipe: str
    said: str
    by: str
    reason: str


@dataclass(frozen=True)
class Share:
    """``share``, 0 to 1, of those who take part in experiments had ``recipe`` by ``why``, and so ``version``,
    empty where none of the recipe is known to have been live."""

    recipe: str
    version: str
    share: float
    why: str


def moments(since: datetime, until: datetime) -> list[Moment]:
    """The newest first, at most ``MOST_ROWS``. Six queries."""
    found = [*_policies(since, until), *_experiments(since, until), *_versions(since, until)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST_ROWS]


def served_at(at: datetime) -> list[Share]:
    """What served at that moment, the largest share first. A query for each experiment that decides a recipe.

    Shares are of those who may take part in each experiment: staff, robots and the holdout get the policy's,
    and whoever is not targeted by one gets what serves beside it. An experiment of strategies that pins a
    recipe takes its people from all of recipes alike, since where a unit stands in one layer says nothing of
    the other.
    """
    phases = _tried_at(at)
    told = _rollouts_of(phases)
    pinned, tried = [_shares_of(phases, at, told, is_pinned=is_pinned) for is_pinned in (True, False)]
    rest = 1.0 - sum(pinned.values())
    shares = pinned | {spot: share * rest for spot, share in tried.items() if share * rest > _NOBODY}
    left = 1.0 - sum(shares.values())
    if left > _NOBODY:
        shares[_recipe_of_policy(at), "the policy"] = left
    versions = _versions_at(at, [recipe for recipe, _ in shares])
    found = [Share(recipe, versions.get(recipe, ""), share, why) for (recipe, why), share in shares.items()]
    return sorted(found, key=lambda one: -one.share)


def _policies(since: datetime, until: datetime) -> Iterator[Moment]:
    rows = AuditEntry.objects.filter(action=POLICY_CHANGE, at__range=(since, until)).order_by("-at")
    for row in rows[:MOST_ROWS]:
        before, after = row.before.get("recipe", ""), row.after.get("recipe", "")
        said = f"after {before}" if before != after else "with another strategy"
        yield Moment(row.at, "Policy", after, said, told_by_policy(row), row.reason)


def _experiments(since: datetime, until: datetime) -> Iterator[Moment]:
    """What was done to rollouts, to other experiments of recipes, and to those that pin one."""
    deciding = Phase.objects.filter(_DECIDES_RECIPE)
    rows = Decision.objects.filter(
        experiment__in=deciding.values("experiment"), acted=True, at__range=(since, until)
    )
    decisions = list(rows.exclude(kind__in=(Kind.HOLD, Kind.APPROVE)).order_by("-at", "-id")[:MOST_ROWS])
    keys = {row.experiment_id for row in decisions}
    recipes = {
        (phase.experiment_id, phase.number): _recipes_of(phase)
        for phase in deciding.filter(experiment__in=keys)
    }
    rollouts = {
        one.experiment_id: one for one in Rollout.objects.filter(experiment__in=keys).select_related("recipe")
    }
    for row in decisions:
        rollout = rollouts.get(row.experiment_id)
        what = "Rollout" if rollout else f"Experiment {row.experiment_id}"
        recipe = rollout.recipe.name if rollout else recipes.get((row.experiment_id, row.phase), "")
        by = told_by_decision(row, rollout)
        yield Moment(row.at, what, recipe, row.get_kind_display(), by, row.reason)


def _recipes_of(phase: Phase) -> str:
    variants: list[dict[str, Any]] = phase.plan["variants"]
    pinned: str = phase.plan.get("pinned_recipe", "")
    return pinned or " and ".join(one["recipe"] for one in variants)


def _versions(since: datetime, until: datetime) -> Iterator[Moment]:
    found = Activation.objects.filter(at__range=(since, until))
    rows = list(found.select_related("version__run", "recipe")[:MOST_ROWS])
    told = told_by_activations(rows)
    for row in rows:
        yield Moment(row.at, "Version", row.recipe.name, row.version.name, told[row.pk], row.reason)


def _recipe_of_policy(at: datetime) -> str:
    """By the audit: what was changed to last, else what was changed from first, else what serves now."""
    rows = AuditEntry.objects.filter(action=POLICY_CHANGE)
    before = rows.filter(at__lte=at).order_by("-at").first()
    if before is not None:
        return str(before.after.get("recipe", ""))
    after = rows.filter(at__gt=at).order_by("at").first()
    return str(after.before.get("recipe", "")) if after is not None else read_policy().recipe


def _tried_at(at: datetime) -> Sequence[Phase]:
    """Of each experiment that decides a recipe the phase of that moment."""
    rows = Phase.objects.filter(_DECIDES_RECIPE, started_at__lte=at)
    return list(rows.filter(Q(ended_at=None) | Q(ended_at__gt=at)).order_by("started_at"))


def _rollouts_of(phases: Sequence[Phase]) -> dict[str, str]:
    """What an experiment is called that is a rollout, by its key."""
    rows = Rollout.objects.filter(experiment__in=[phase.experiment_id for phase in phases])
    return {str(one.experiment_id): str(one) for one in rows.select_related("recipe")}


def _shares_of(
    phases: Sequence[Phase], at: datetime, told: Mapping[str, str], *, is_pinned: bool
) -> dict[Spot, float]:
    """What the phases of one layer give, beside whatever another gives."""
    found: dict[Spot, float] = {}
    for phase in phases:
        if ("pinned_recipe" in phase.plan) is not is_pinned:
            continue
        named = f"experiment {phase.experiment_id}"
        why = f"{named}, which pins it" if is_pinned else told.get(phase.experiment_id, named)
        for recipe, share in _split_of(phase, at):
            found[recipe, why] = found.get((recipe, why), 0.0) + share
    return found


def _split_of(phase: Phase, at: datetime) -> Iterator[tuple[str, float]]:
    """Of each recipe the part of all units that the phase gave it; nothing in a pause, or after an end that
    was undone since."""
    rows = Decision.objects.filter(
        experiment=phase.experiment_id, phase=phase.number, acted=True, at__lte=at
    ).order_by("id")
    ledger = [Entry(*row) for row in rows.values_list("kind", "step", "at")]
    if not _is_serving(ledger):
        return
    part = phase.plan["range_end"] - phase.plan["range_start"]
    coverage = part * standing(phase_steps(phase), ledger, now=at).coverage
    if "pinned_recipe" in phase.plan:
        yield phase.plan["pinned_recipe"], coverage
        return
    variants: list[dict[str, Any]] = phase.plan["variants"]
    yield from ((one["recipe"], coverage * one["weight"]) for one in variants if one["weight"])


def _is_serving(ledger: Sequence[Entry]) -> bool:
    """Whether the last act that stands leaves it running: one that was undone is as good as never done."""
    stack = [False]
    for entry in ledger:
        if entry.kind == Kind.UNDO:
            stack.pop()
        elif entry.kind not in (Kind.APPROVE, Kind.HOLD):
            stack.append(entry.kind not in _HALTS)
    return stack[-1]


def _versions_at(at: datetime, recipes: Sequence[str]) -> dict[str, str]:
    until = Activation.objects.filter(recipe=OuterRef("pk"), at__lte=at).order_by("-at", "-id")
    rows = Recipe.objects.filter(name__in=recipes)
    found = rows.annotate(live=Subquery(until.values("version__name")[:1]))
    return {name: live or "" for name, live in found.values_list("name", "live")}


def days_before(until: datetime, days: int) -> datetime:
    return until - timedelta(days=days)
