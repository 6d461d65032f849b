"""What a phase is frozen to: everything that serves and everything that decides."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from apps.algorithms.registry import ARMS
from apps.algorithms.strategy import InvalidStrategy, Strategy, parse_strategy
from apps.experiments.assigning import Kind, Targeting
from apps.experiments.metrics import METRICS
from apps.experiments.models import Experiment, Phase, Variant
from apps.experiments.ramping import Step, steps_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlannedVariant:
    """Either ``strategy`` or ``recipe`` is None, as the layer is."""

    name: str
    weight: float
    is_control: bool
    strategy: Strategy | None
    recipe: str | None


@dataclass(frozen=True)
class Plan:
    """The plan of one phase; fields as in ``Experiment``. ``variants`` begin with the control.

    ``planned_units`` is how many units all variants together are to have at the horizon, None where nothing
    was known to plan by.
    """

    kind: Kind
    range_start: float
    range_end: float
    targeting: Targeting
    variants: tuple[PlannedVariant, ...]
    goals: tuple[str, ...]
    guardrails: Mapping[str, float]
    min_effect: float
    alpha: float
    power: float
    test: str
    horizon_days: int
    steps: tuple[Step, ...]
    only_differing: bool
    dry_run: bool
    planned_units: float | None = None
    purpose: str = "compare"
    pinned_recipe: str = ""

    @property
    def is_rollout(self) -> bool:
        return self.purpose != "compare"

    @property
    def is_timed(self) -> bool:
        """Whether it goes on by time where too little is counted to tell anything."""
        return self.purpose == "timed_rollout"

    @property
    def weights(self) -> dict[str, float]:
        return {variant.name: variant.weight for variant in self.variants}

    @property
    def control(self) -> PlannedVariant:
        return self.variants[0]

    def variant(self, name: str) -> PlannedVariant:
        """Raises ``KeyError`` for a name that is none."""
        return next((one for one in self.variants if one.name == name), None) or _missing(name)

    def as_json(self) -> dict[str, Any]:
        """Whoever reads it with ``plan_of`` has an equal plan."""
        targeting = asdict(self.targeting) | {
            "segments": sorted(self.targeting.segments),
            "languages": sorted(self.targeting.languages),
        }
        variants = [
            asdict(one) | {"strategy": one.strategy.to_json() if one.strategy else None}
            for one in self.variants
        ]
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "goals": list(self.goals),
            "guardrails": dict(self.guardrails),
            "targeting": targeting,
            "variants": variants,
            "steps": [step.as_json() for step in self.steps],
            **{name: getattr(self, name) for name, usual in _LATER.items() if getattr(self, name) != usual},
        }

    @property
    def digest(self) -> str:
        """The same for equal plans whatever the order of their keys: SHA-256 of the canonical JSON."""
        return digest_of(self.as_json())


_PLAIN = (
    "kind",
    "range_start",
    "range_end",
    "min_effect",
    "alpha",
    "power",
    "test",
    "horizon_days",
    "only_differing",
    "dry_run",
    "planned_units",
)
_LATER = {"purpose": "compare", "pinned_recipe": ""}
"""Fields that plans of before do not have, and their usual values, which are left out: the digest of such a
plan stays what it was."""


def day_of_horizon(days: float, horizon_days: int) -> int:
    """Which day it is, from 1, when so many have passed since a phase began."""
    return min(int(days) + 1, horizon_days)


def digest_of(plan: Mapping[str, Any]) -> str:
    """Whole numbers and fractions are the same kind, as in JSON: a database may give 1 for 1.0."""
    plan = _canonical(plan)
    canonical = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(canonical.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _canonical(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(one) for one in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Of -0.0 the sum is 0.0.
    return float(value) + 0.0 if is_number else value


def planned(experiment: Experiment) -> Plan:
    """The plan that a phase begun now would be frozen to. One query. Raises ``InvalidInput``."""
    return plan_with(experiment, experiment.variants.all())


def plan_with(experiment: Experiment, variants: Iterable[Variant]) -> Plan:
    """That of an experiment with these variants, whether or not any of it is stored."""
    ordered = sorted(variants, key=lambda one: (not one.is_control, one.name))
    return Plan(
        kind="recipe" if experiment.layer_id == "recipe" else "strategy",
        range_start=float(experiment.range_start),
        range_end=float(experiment.range_end),
        targeting=Targeting(
            segments=frozenset(experiment.segments),
            languages=frozenset(experiment.languages),
            age_from=_days(experiment.age_from_days),
            age_to=_days(experiment.age_to_days),
        ),
        variants=tuple(
            PlannedVariant(
                name=one.name,
                weight=float(one.weight),
                is_control=one.is_control,
                strategy=None if one.strategy is None else parse_strategy(one.strategy, ARMS),
                recipe=one.recipe or None,
            )
            for one in ordered
        ),
        goals=tuple(experiment.goals),
        guardrails={name: float(fall) for name, fall in experiment.guardrails.items()},
        min_effect=float(experiment.min_effect),
        alpha=float(experiment.alpha),
        power=float(experiment.power),
        test=experiment.test,
        horizon_days=experiment.horizon_days,
        steps=steps_of(experiment.ramp),
        only_differing=experiment.only_differing,
        dry_run=experiment.dry_run,
        planned_units=experiment.planned_units,
        purpose=str(experiment.purpose),
        pinned_recipe=experiment.pinned_recipe,
    )


def plan_of(phase: Phase) -> Plan:
    """The plan that the phase is frozen to. Raises ``InvalidStrategy`` where an arm is gone since."""
    stored = phase.plan
    targeting = stored["targeting"]
    return Plan(
        **{name: stored[name] for name in _PLAIN},
        **{name: stored.get(name, usual) for name, usual in _LATER.items()},
        targeting=Targeting(
            **targeting | {name: frozenset(targeting[name]) for name in ("segments", "languages")},
        ),
        variants=tuple(_variant(one) for one in stored["variants"]),
        goals=tuple(stored["goals"]),
        guardrails=stored["guardrails"],
        steps=phase_steps(phase),
    )


def phase_steps(phase: Phase) -> tuple[Step, ...]:
    return tuple(Step(**one) for one in phase.plan["steps"])


def readable_plan(phase: Phase) -> Plan | None:
    """The plan; None, and an error in the log, where this program does not know an arm or a metric of it any
    more.
    """
    try:
        plan = plan_of(phase)
        gone = [name for name in (*plan.goals, *plan.guardrails) if name not in METRICS]
    except InvalidStrategy as error:
        _say_unreadable(str(phase), str(error))
        return None
    if gone:
        _say_unreadable(str(phase), f"there is no metric {gone[0]!r}")
        return None
    return plan


@cache
def _say_unreadable(phase: str, why: str) -> None:
    """Once in a process: it would be said again every two seconds."""
    logger.error("plan_unreadable phase=%s why=%s", phase, why)


def _variant(stored: Mapping[str, Any]) -> PlannedVariant:
    strategy = stored["strategy"]
    parsed = None if strategy is None else parse_strategy(strategy, ARMS)
    return PlannedVariant(**{**stored, "strategy": parsed})


def _days(age: float | None) -> float | None:
    return None if age is None else float(age)


def _missing(name: str) -> PlannedVariant:
    raise KeyError(name)
