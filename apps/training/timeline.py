"""What served when: the policy's recipe, the rollouts beside it, and the version of each recipe."""

from collections.abc import Iterator, Sequence
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

MOST_ROWS = 500
POLICY_CHANGE = "policy.change"
SYSTEM = "system"
"""In the audit: a rule or a program."""
Kind = Decision.Kind
_HALTS = (Kind.PAUSE, Kind.STOP, Kind.SHIP, Kind.ROLL_BACK)


@dataclass(frozen=True)
class Moment:
    """Something that changed what serves. ``by`` is empty for a rule or a program."""

    at: datetime
    what: str
    recipe: str
    said: str
    by: str
    reason: str


@dataclass(frozen=True)
class Share:
    """``share``, 0 to 1, of all viewers had ``recipe`` by ``why``, and so ``version``, empty where none of
    the recipe is known to have been live."""

    recipe: str
    version: str
    share: float
    why: str


def moments(since: datetime, until: datetime) -> list[Moment]:
    """The newest first, at most ``MOST_ROWS``. Four queries."""
    found = [*_policies(since, until), *_rollouts(since, until), *_versions(since, until)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST_ROWS]


def served_at(at: datetime) -> list[Share]:
    """What served at that moment, the largest share first. A few queries for each experiment of recipes.

    Shares are of those who take part in experiments: staff, robots and the holdout get the policy's, whoever
    is not targeted too, and whoever is in an experiment that pins a recipe gets that one.
    """
    policy = _recipe_of_policy(at)
    shares: dict[tuple[str, str], float] = {}
    left = 1.0
    phases = _tried_at(at)
    told = _rollouts_of(phases)
    for phase in phases:
        why = told.get(phase.experiment_id, f"experiment {phase.experiment_id}")
        for recipe, share in _split_of(phase, at):
            spot = recipe, why
            shares[spot] = shares.get(spot, 0.0) + share
            left -= share
    if left > 1e-9:
        shares[policy, "the policy"] = left
    versions = _versions_at(at, [recipe for recipe, _ in shares])
    found = [Share(recipe, versions.get(recipe, ""), share, why) for (recipe, why), share in shares.items()]
    return sorted(found, key=lambda one: -one.share)


def _policies(since: datetime, until: datetime) -> Iterator[Moment]:
    rows = AuditEntry.objects.filter(action=POLICY_CHANGE, at__range=(since, until)).order_by("-at")
    for row in rows[:MOST_ROWS]:
        before, after = row.before.get("recipe", ""), row.after.get("recipe", "")
        said = f"after {before}" if before != after else "with another strategy"
        by = "" if row.actor_name == SYSTEM else row.actor_name
        yield Moment(row.at, "Policy", after, said, by, row.reason)


def _rollouts(since: datetime, until: datetime) -> Iterator[Moment]:
    recipes = dict(
        Rollout.objects.filter(experiment__isnull=False).values_list("experiment_id", "recipe__name")
    )
    rows = Decision.objects.filter(experiment_id__in=recipes, acted=True, at__range=(since, until))
    for row in rows.exclude(kind=Kind.HOLD).order_by("-at")[:MOST_ROWS]:
        recipe = recipes[row.experiment_id]
        yield Moment(row.at, "Rollout", recipe, row.get_kind_display(), row.by, row.reason)


def _versions(since: datetime, until: datetime) -> Iterator[Moment]:
    rows = Activation.objects.filter(at__range=(since, until)).select_related("version", "recipe")
    for row in rows[:MOST_ROWS]:
        yield Moment(row.at, "Version", row.recipe.name, row.version.name, row.by, row.reason)


def _recipe_of_policy(at: datetime) -> str:
    """By the audit: what was changed to last, else what was changed from first, else what serves now."""
    rows = AuditEntry.objects.filter(action=POLICY_CHANGE)
    before = rows.filter(at__lte=at).order_by("-at").first()
    if before is not None:
        return str(before.after.get("recipe", ""))
    after = rows.filter(at__gt=at).order_by("at").first()
    return str(after.before.get("recipe", "")) if after is not None else read_policy().recipe


def _tried_at(at: datetime) -> Sequence[Phase]:
    """Of each experiment of recipes, rollouts among them, the phase of that moment, with its ledger."""
    rows = Phase.objects.filter(experiment__layer_id=Layer.Kind.RECIPE, started_at__lte=at)
    return list(rows.filter(Q(ended_at=None) | Q(ended_at__gt=at)).order_by("started_at"))


def _rollouts_of(phases: Sequence[Phase]) -> dict[str, str]:
    """What an experiment is called that is a rollout, by its key."""
    rows = Rollout.objects.filter(experiment__in=[phase.experiment_id for phase in phases])
    return {str(one.experiment_id): str(one) for one in rows.select_related("recipe")}


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
