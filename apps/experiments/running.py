"""The experiments that run, as values, read at most two seconds ago."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.core import clock
from apps.core.cached import Brief
from apps.experiments.assigning import Holdout, Running
from apps.experiments.models import Decision, Override, Phase
from apps.experiments.models import Holdout as HoldoutRow
from apps.experiments.plans import Plan, readable_plan
from apps.experiments.ramping import Entry, standing


@dataclass(frozen=True)
class Live:
    """One experiment that runs: how it assigns, and what its variants are. ``name`` is for people."""

    running: Running
    plan: Plan
    name: str


@dataclass(frozen=True)
class Field:
    """All that runs, and the share that is in none of it."""

    live: tuple[Live, ...]
    holdout: Holdout | None

    @property
    def runnings(self) -> list[Running]:
        return [one.running for one in self.live]

    def plan(self, key: str) -> Plan:
        return self._of(key).plan

    def name(self, key: str) -> str:
        return self._of(key).name

    def _of(self, key: str) -> Live:
        return next(one for one in self.live if one.running.key == key)


def running_field() -> Field:
    """What runs, at most ``VERSION_TTL_SECONDS`` old."""
    return _field.get()


def read_field() -> Field:
    """What runs, as of now. Two queries where nothing does, else four.

    An experiment of which this program does not know an arm any more is left out: it serves nobody.
    """
    phases = list(Phase.objects.serving())
    holdout = HoldoutRow.objects.filter(pk=HoldoutRow.SINGLETON, share__gt=0).first()
    held = None if holdout is None else Holdout(holdout.salt, holdout.share)
    if not phases:
        return Field((), held)
    keys = [phase.experiment_id for phase in phases]
    ledgers, overrides, now = ledgers_of(keys), _overrides(keys), clock.now()
    found = (
        _live(phase, ledgers[phase.experiment_id, phase.number], overrides[phase.experiment_id], now)
        for phase in sorted(phases, key=lambda one: one.experiment_id)
    )
    return Field(tuple(one for one in found if one is not None), held)


def forget_field() -> None:
    """Makes this process read anew; others see a change within the two seconds."""
    _field.forget()


def ledgers_of(keys: Sequence[str]) -> Mapping[tuple[str, int], list[Entry]]:
    """What was decided and done on each phase of these experiments, in the order in which it was written.

    Not by time, since the clocks of two machines differ. One query.
    """
    found: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    rows = Decision.objects.filter(experiment_id__in=keys, acted=True).order_by("id")
    for key, phase, kind, step, at in rows.values_list("experiment_id", "phase", "kind", "step", "at"):
        found[key, phase].append(Entry(kind, step, at))
    return found


def _overrides(keys: Sequence[str]) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    rows = Override.objects.filter(experiment_id__in=keys)
    for key, unit, variant in rows.values_list("experiment_id", "unit_key", "variant"):
        found[key][str(unit)] = variant
    return found


def _live(phase: Phase, ledger: Sequence[Entry], overrides: Mapping[str, str], now: datetime) -> Live | None:
    plan, experiment = readable_plan(phase), phase.experiment
    if plan is None:
        return None
    names = plan.weights
    return Live(
        Running(
            key=experiment.key,
            kind=plan.kind,
            phase=phase.number,
            layer_salt=experiment.layer.salt,
            start=plan.range_start,
            end=plan.range_end,
            coverage_salt=experiment.coverage_salt,
            coverage=standing(plan.steps, ledger, now=now).coverage,
            split_salt=phase.split_salt,
            weights=names,
            targeting=plan.targeting,
            # An edit may have taken a variant away since somebody was put into it.
            overrides={unit: name for unit, name in overrides.items() if name in names},
            pins_recipe=bool(plan.pinned_recipe),
        ),
        plan,
        str(experiment),
    )


_field = Brief(read_field)
