"""What a phase's figures say: a pure function of its plan and of them, so that a verdict can be made again.

- *Health* comes first: units that are shared out otherwise than planned (a sample ratio mismatch), units in a
  variant of weight 0, or a test that ended without anything to read. Then no goal can be trusted. A guardrail
  that is broken rolls back all the same: what loses units often fails at once, and going back harms nobody.
- *Guardrails* are read at any time, each at ``alpha`` divided by their number and that of the treatments. One
  is broken where it is worse by more than its margin *and* its interval leaves out 0.
- *Goals* are read by the plan: at any time, or at the end of each full day against group-sequential bounds
  (Kim and DeMets, spending ``alpha t^3``), up to the end of the test; what comes later is not looked at.
  ``alpha`` is divided by the number of treatments. The first goal decides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from apps.algorithms.statistics import SampleRatio, srm
from apps.experiments.comparing import Comparison
from apps.experiments.figures import Figures
from apps.experiments.metrics import Metric
from apps.experiments.plans import Plan, day_of_horizon
from apps.experiments.reading import GoalReading, GuardrailReading, is_over, read_goals, read_guardrails

LEAST_EXPECTED = 5.0
"""Units of the smallest variant, from which on a sample ratio is judged."""

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
        found: dict[str, Any] = _plain(self)
        return found


def judge(plan: Plan, figures: Figures) -> Verdict:
    """The same for the same plan and figures, to the last digit."""
    found = _Found(
        plan,
        figures,
        _sample_ratio(plan, figures),
        tuple(read_goals(plan, figures)),
        tuple(read_guardrails(plan, figures)),
    )
    problems = _problems(found)
    outcome, variant = _decide(found, problems)
    return Verdict(
        outcome=outcome,
        variant=variant,
        sentence=_sentence(found, outcome, variant, problems),
        why_not=tuple(problems or _why_not(found, outcome)),
        sample_ratio=found.sample_ratio,
        goals=found.goals,
        guardrails=found.guardrails,
    )


def effect_text(comparison: Comparison) -> str:
    """``CTR +6.1 %, always-valid 95 % [+1.2, +11.0]``; in points where the metric is absolute."""
    metric, harm, interval = comparison.metric, comparison.harm, comparison.interval
    if harm is None:
        return f"{metric.title} unknown"
    unit = "points" if metric.absolute else "%"
    said = f"{metric.title} {-harm * metric.sign * 100:+.1f} {unit}"
    if interval is None:
        return said
    level = _level(comparison.alpha)
    return f"{said}, always-valid {level} % [{interval[0] * 100:+.1f}, {interval[1] * 100:+.1f}]"


@dataclass(frozen=True)
class _Found:
    plan: Plan
    figures: Figures
    sample_ratio: SampleRatio
    goals: tuple[GoalReading, ...]
    guardrails: tuple[GuardrailReading, ...]

    @property
    def first(self) -> tuple[GoalReading, ...]:
        """The first goal of each treatment."""
        return tuple(one for one in self.goals if one.comparison.metric.name == self.plan.goals[0])

    @property
    def is_over(self) -> bool:
        return is_over(self.plan, self.figures)

    @property
    def broken(self) -> GuardrailReading | None:
        return next((one for one in self.guardrails if one.is_broken), None)


def _sample_ratio(plan: Plan, figures: Figures) -> SampleRatio:
    units = figures.units(plan)
    found = srm([units[name] for name in plan.weights], list(plan.weights.values()))
    expected = [weight * sum(units.values()) for weight in plan.weights.values() if weight > 0]
    # Chi-square is no chi-square below (Cochran 1954), and a small holdout begins there.
    return replace(found, mismatch=found.mismatch and min(expected) >= LEAST_EXPECTED)


def _problems(found: _Found) -> list[str]:
    plan, units = found.plan, found.figures.units(found.plan)
    stray = [name for name, weight in plan.weights.items() if weight == 0 and units[name] > 0]
    if stray:
        said = f"{units[stray[0]]:,.0f} units are in {stray[0]}, which has weight 0"
        return [f"{said}: find out how they came there."]
    if found.sample_ratio.mismatch:
        total = sum(units.values())
        shares = ", ".join(
            f"{name} {units[name]:,.0f} of {weight * total:,.0f} expected"
            for name, weight in plan.weights.items()
        )
        return [
            f"Units are not shared out as planned ({shares}): whatever did that may have made the effect."
        ]
    unknown = [one.comparison for one in found.first if one.comparison.harm is None]
    if unknown and found.is_over and not found.broken and not plan.is_timed:
        what = f"{unknown[0].metric.title} of {unknown[0].variant}"
        return [
            f"The test is over, and {what} cannot be computed: see whether its lists and the control's are"
            " counted, or choose a goal that more units reach."
        ]
    return []


def _decide(found: _Found, problems: Sequence[str]) -> tuple[Outcome, str]:
    if found.broken:
        return "roll_back", found.broken.comparison.variant
    if problems:
        return "unhealthy", ""
    better = [one for one in found.first if one.is_sure and one.comparison.gain > 0]
    if better:
        return "ship", max(better, key=_gain).comparison.variant
    if found.first and all(map(_is_worse, found.first)):
        return "keep_control", found.plan.control.name
    return ("no_difference", "") if found.is_over else ("wait", "")


def _gain(reading: GoalReading) -> float:
    return reading.comparison.gain


def _is_worse(reading: GoalReading) -> bool:
    return reading.is_sure and reading.comparison.gain < 0


def _is_small(reading: GoalReading, effect: float) -> bool:
    """Whether nothing that would be worth finding is within its interval."""
    interval = reading.comparison.interval
    return interval is not None and -effect < interval[0] and interval[1] < effect


def _why_not(found: _Found, outcome: Outcome) -> list[str]:
    plan, figures = found.plan, found.figures
    if outcome not in ("wait", "no_difference"):
        return []
    said = []
    if outcome == "wait":
        said.append(f"Day {day_of_horizon(figures.days, plan.horizon_days)} of {plan.horizon_days}.")
    units = sum(figures.units(plan).values())
    if figures.planned_units is not None and units < figures.planned_units:
        said.append(f"{units:,.0f} of {figures.planned_units:,.0f} units that were planned.")
    elif outcome == "no_difference" and figures.days < plan.horizon_days:
        said.append("All units that were planned are counted, which ends the test before its horizon.")
    for one in found.first:
        what = f"{one.comparison.metric.title} of {one.comparison.variant}"
        said.append(f"{what} is worse." if _is_worse(one) else f"{what} may differ by chance alone.")
    return said


def _sentence(found: _Found, outcome: Outcome, variant: str, problems: Sequence[str]) -> str:
    plan = found.plan
    if outcome == "unhealthy":
        return f"Trust nothing yet: {problems[0]}"
    seen = "SRM ok" if any(found.figures.units(plan).values()) else "no units yet"
    if problems:
        seen = "SRM alarm"
    day = day_of_horizon(found.figures.days, plan.horizon_days)
    rest = f"{seen}; day {day} of {plan.horizon_days}"
    if outcome == "roll_back" and found.broken:
        return f"Roll {variant} back: {effect_text(found.broken.comparison)}; {rest}"
    if not found.first:
        return f"Wait: no treatment has a weight above 0; {rest}"
    open_ones = [one for one in found.first if not _is_worse(one)] or list(found.first)
    own = [one for one in found.first if one.comparison.variant == variant]
    shown = own[0] if own else max(open_ones, key=_gain)
    openings = {
        "ship": f"Ship {variant}",
        "keep_control": f"Keep {plan.control.name}",
        "no_difference": _no_difference(open_ones, plan.min_effect),
        "wait": "Wait",
    }
    told = effect_text(shown.comparison)
    if shown.is_sure and shown.crossed:
        told += f", past its planned bound on day {shown.crossed.day}"
    return f"{openings[outcome]}: {told}; {rest}"


def _no_difference(readings: Sequence[GoalReading], effect: float) -> str:
    if all(_is_small(one, effect) for one in readings):
        return f"No difference was found, and none of {effect * 100:g} % or more is left to find"
    return f"No difference was found, though one of {effect * 100:g} % may be there"


def _level(alpha: float) -> str:
    """The coverage in percent, to a tenth, and never more than it is."""
    return f"{math.floor((1 - alpha) * 1000 + 1e-9) / 10:g}"


def _plain(value: Any) -> Any:
    """As JSON has it: infinity is no number there. A metric goes by its name: its texts may be put better."""
    if isinstance(value, Metric):
        return value.name
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
