"""What a phase's figures say: a pure function of its plan and of them, so that a verdict can be made again.

- *Health* comes first: units that are shared out otherwise than planned (a sample ratio mismatch), units in a
  variant of weight 0, or a metric that cannot be computed. Then nothing else can be trusted.
- *Guardrails* are read at any time, each at ``alpha`` divided by their number and that of the treatments. One
  is broken where it is worse by more than its margin *and* its interval leaves out 0.
- *Goals* are read by the plan: at any time, or at the end of each full day against group-sequential bounds
  (Kim and DeMets, spending ``alpha t^3``). ``alpha`` is divided by the number of treatments. The first goal
  decides; the p-values of all are adjusted by Holm.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from apps.algorithms.statistics import SampleRatio, srm
from apps.experiments.comparing import Comparison
from apps.experiments.figures import Figures
from apps.experiments.plans import Plan
from apps.experiments.reading import GoalReading, GuardrailReading, is_at_horizon, read_goals, read_guardrails

Outcome = Literal["unhealthy", "roll_back", "ship", "keep_control", "no_difference", "wait"]


@dataclass(frozen=True)
class Verdict:
    """``variant`` is the one that ``outcome`` is about; empty where it is about all. ``why_not`` are
    sentences on what keeps it from being decided, or from being trusted.
    """

    outcome: Outcome
    variant: str
    sentence: str
    why_not: tuple[str, ...]
    sample_ratio: SampleRatio
    goals: tuple[GoalReading, ...]
    guardrails: tuple[GuardrailReading, ...]

    def as_json(self) -> dict[str, Any]:
        """What the ledger keeps: the outcome, and every number that led to it."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def judge(plan: Plan, figures: Figures) -> Verdict:
    """The same for the same plan and figures, to the last digit."""
    ratio = _sample_ratio(plan, figures)
    goals = read_goals(plan, figures)
    guardrails = read_guardrails(plan, figures)
    problems = _problems(plan, figures, ratio)
    outcome, variant = _decide(plan, figures, goals, guardrails, problems)
    return Verdict(
        outcome=outcome,
        variant=variant,
        sentence=_sentence(plan, figures, outcome, variant, goals, guardrails, problems),
        why_not=tuple(problems or _why_not(plan, figures, outcome, goals)),
        sample_ratio=ratio,
        goals=tuple(goals),
        guardrails=tuple(guardrails),
    )


def _sample_ratio(plan: Plan, figures: Figures) -> SampleRatio:
    units = figures.units(plan)
    return srm([units[name] for name in plan.weights], list(plan.weights.values()))


def _problems(plan: Plan, figures: Figures, ratio: SampleRatio) -> list[str]:
    units = figures.units(plan)
    stray = [name for name, weight in plan.weights.items() if weight == 0 and units[name] > 0]
    if stray:
        said = f"{units[stray[0]]:,.0f} units are in {stray[0]}, which has weight 0"
        return [f"{said}: find out how they came there."]
    if ratio.mismatch:
        total = sum(units.values())
        shares = ", ".join(
            f"{name} {units[name]:,.0f} of {weight * total:,.0f} expected"
            for name, weight in plan.weights.items()
        )
        return [
            f"Units are not shared out as planned ({shares}): whatever did that may have made the effect."
        ]
    return []


def _decide(
    plan: Plan,
    figures: Figures,
    goals: Sequence[GoalReading],
    guardrails: Sequence[GuardrailReading],
    problems: Sequence[str],
) -> tuple[Outcome, str]:
    if problems:
        return "unhealthy", ""
    broken = next((one for one in guardrails if one.is_broken), None)
    if broken:
        return "roll_back", broken.comparison.variant
    first = [one for one in goals if one.comparison.metric.name == plan.goals[0]]
    better = [one for one in first if one.is_sure and _gain(one) > 0]
    if better:
        return "ship", max(better, key=_gain).comparison.variant
    if first and all(one.is_sure and _gain(one) < 0 for one in first):
        return "keep_control", plan.control.name
    if is_at_horizon(plan, figures):
        return "no_difference", ""
    return "wait", ""


def _gain(reading: GoalReading) -> float:
    """Above 0 is better, whichever way the metric goes."""
    estimate = reading.comparison.fixed.estimate
    return 0.0 if estimate is None else estimate * reading.comparison.metric.sign


def _why_not(plan: Plan, figures: Figures, outcome: Outcome, goals: Sequence[GoalReading]) -> list[str]:
    if outcome != "wait":
        return []
    said = []
    if not is_at_horizon(plan, figures):
        said.append(f"Day {figures.days:.0f} of {plan.horizon_days}.")
    if figures.planned_units is not None:
        units = sum(figures.units(plan).values())
        if units < figures.planned_units:
            said.append(f"{units:,.0f} of {figures.planned_units:,.0f} units that were planned.")
    for one in goals:
        found = one.comparison
        if found.metric.name == plan.goals[0] and not one.is_sure:
            said.append(f"{found.metric.title} of {found.variant} may differ by chance alone.")
    return said


def _sentence(
    plan: Plan,
    figures: Figures,
    outcome: Outcome,
    variant: str,
    goals: Sequence[GoalReading],
    guardrails: Sequence[GuardrailReading],
    problems: Sequence[str],
) -> str:
    day = f"day {min(figures.days, plan.horizon_days):.0f} of {plan.horizon_days}"
    if outcome == "unhealthy":
        return f"Trust nothing yet: {problems[0]}"
    if outcome == "roll_back":
        broken = next(one for one in guardrails if one.is_broken)
        return f"Roll {variant} back: {effect_text(broken.comparison)}; SRM ok; {day}"
    first = [one for one in goals if one.comparison.metric.name == plan.goals[0]]
    shown = next((one for one in first if one.comparison.variant == variant), first[0])
    told = f"{effect_text(shown.comparison)}; SRM ok; {day}"
    openings = {
        "ship": f"Ship {variant}",
        "keep_control": f"Keep {plan.control.name}",
        "no_difference": "No difference was found",
        "wait": "Wait",
    }
    return f"{openings[outcome]}: {told}"


def effect_text(comparison: Comparison) -> str:
    """``CTR +6.1 %, always-valid 95 % [+1.2, +11.0]``; in the metric's own unit where it is absolute."""
    found, metric = comparison.any_time, comparison.metric
    lift, interval = found.rel_lift, found.rel_ci
    if metric.absolute:
        lift, interval = found.estimate, found.ci
    if lift is None:
        return f"{metric.title} unknown"
    unit = "points" if metric.absolute else "%"
    ends = "" if interval is None else f", always-valid [{interval[0] * 100:+.1f}, {interval[1] * 100:+.1f}]"
    return f"{metric.title} {lift * 100:+.1f} {unit}{ends}"


def _plain(value: Any) -> Any:
    """As JSON has it: infinity is no number there."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
