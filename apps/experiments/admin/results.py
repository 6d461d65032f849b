"""What an experiment found: the sentence, the effects as chart and table, its days, segments and ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse

from apps.algorithms.statistics import Effect
from apps.core.admin.sheets import Column, Sheet, count, figure, share, signed_share
from apps.core.charts import DIFFERENCES, Chart, Interval, interval_chart
from apps.core.errors import NotFound
from apps.experiments.admin.compared import Fact, facts_of
from apps.experiments.admin.navigation import page_url
from apps.experiments.comparing import Comparison
from apps.experiments.figures import by_day
from apps.experiments.judging import Verdict
from apps.experiments.metrics import METRICS
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.reading import GoalReading, GuardrailReading, compare_goal, is_over, treatments_of
from apps.experiments.services import Check, checklist
from apps.experiments.summaries import (
    Reading,
    Summary,
    newest_entries,
    readings_of,
    summaries_of,
    unreadable,
)

MOST_PHASES = 20
COLUMNS = (
    Column.text("Metric", "metric"),
    Column.text("Variant", "variant"),
    Column("Control", ("control",), figure),
    Column("Treatment", ("treatment",), figure),
    Column("Difference", ("lift",), signed_share),
    Column("At any time", ("low", "high"), signed_share),
    Column.text("Reading", "reading"),
    Column("p at any time", ("p_any_time",), figure),
    Column("p at the end", ("p_fixed",), figure, faded="not_before"),
    Column("Less what was before", ("adjusted_low", "adjusted_high"), signed_share),
    Column("Chance to beat", ("chance",), share),
)
_ABOUT = (
    "Differences are relative to the control, those of fallback and empty lists in points. The interval at"
    " any time holds however often one looks, and is wider for a guardrail, which is one of several; the p at"
    " the end says something once the horizon is reached. Less what was before is the interval of a mean"
    " without what units differed by in the 14 days before (CUPED), and the chance to beat a description:"
    " neither decides."
)
EFFECT = (
    Column("Day", ("day",), count),
    Column.text("Variant", "variant"),
    Column("Difference", ("lift",), signed_share),
    Column("At any time", ("low", "high"), signed_share),
    Column("Units", ("units",), count),
)


@dataclass(frozen=True)
class UnitCount:
    variant: str
    observed: float
    expected: float


@dataclass(frozen=True)
class Overview:
    """Of the last phase. ``reading`` is None of one that never began, of which there is only the checklist,
    and of one whose plan cannot be read, of which ``refusal`` says so.
    """

    reading: Reading | None = None
    refusal: str = ""
    facts: Sequence[Fact] = ()
    ratio: str = ""
    ramp: str = ""
    checks: Sequence[Check] = ()
    units: Sequence[UnitCount] = ()
    sheet: Sheet | None = None
    chart: Chart | None = None
    days_sheet: Sheet | None = None
    days_chart: Chart | None = None
    charted: str = ""
    entries: Sequence[Decision] = ()
    undone: frozenset[int] = frozenset()
    phases: Sequence[Phase] = ()

    @property
    def days_title(self) -> str:
        return f"The first goal of {self.charted} at the end of each day"


def overview_page(experiment: Experiment, number: int | None = None) -> Overview:
    """Of the last phase, or of that ``number``. The number of queries does not go by what was counted.

    Raises ``NotFound`` for a phase that is none.
    """
    summary, reading = _read(experiment, number)
    if reading is None:
        refusal = unreadable(experiment) if summary.phase else ""
        return Overview(refusal=refusal, checks=() if refusal else checklist(experiment))
    entries = newest_entries(experiment)
    days, treatments = _days(reading), treatments_of(reading.plan)
    decided = reading.verdict.variant
    charted = decided if decided in treatments else next(iter(treatments), "")
    return Overview(
        reading=reading,
        facts=facts_of(reading.plan),
        ratio=_ratio(reading),
        ramp=_ramp(reading),
        units=_units(reading),
        sheet=_sheet(reading),
        chart=_chart(reading.verdict),
        days_sheet=_days_sheet(reading, days),
        days_chart=_days_chart(days, charted),
        charted=charted,
        entries=entries,
        undone=frozenset(one.undoes_id for one in entries if one.undoes_id),
        phases=list(experiment.phases.order_by("-number")[:MOST_PHASES]),
    )


def goals_csv(experiment: Experiment, number: int | None = None) -> StreamingHttpResponse:
    """The rows of the results, in full; none before a start. Phases as in ``overview_page``."""
    _, reading = _read(experiment, number)
    sheet = _sheet(reading) if reading else Sheet("Results", COLUMNS, [], "")
    return sheet.as_csv(f"experiment-{experiment.key}")


def days_csv(experiment: Experiment, number: int | None = None) -> StreamingHttpResponse:
    _, reading = _read(experiment, number)
    sheet = _days_sheet(reading, _days(reading)) if reading else Sheet("By day", EFFECT, [], "")
    return sheet.as_csv(f"experiment-{experiment.key}-days")


def _days_sheet(reading: Reading, rows: Sequence[Mapping[str, Any]]) -> Sheet:
    about = (
        "Of all units so far, at the end of each UTC day. What is said later counts on the day of its list,"
        " so that days fill up: the ledger has what was known then."
    )
    return Sheet("By day", EFFECT, rows, _csv_url("days_csv", reading), about)


def _csv_url(name: str, reading: Reading) -> str:
    return f"{page_url(name, reading.summary.experiment.key)}?phase={reading.phase.number}"


def _read(experiment: Experiment, number: int | None = None) -> tuple[Summary, Reading | None]:
    (summary,) = summaries_of([experiment])
    if number is not None:
        phase = experiment.phases.filter(number=number).first()
        if phase is None:
            raise NotFound(f"{experiment} has no phase {number}.")
        summary = replace(summary, phase=phase)
    (reading,) = readings_of([summary])
    return summary, reading


def _ratio(reading: Reading) -> str:
    found = reading.verdict.sample_ratio
    if found.p_value is None:
        return "No unit was counted yet."
    said = "not as planned" if found.mismatch else "as planned"
    return f"Units are shared out {said}: p {figure(found.p_value)}, and below .001 is an alarm."


def _ramp(reading: Reading) -> str:
    """Where it stands, in a sentence."""
    standing = reading.standing
    if standing is None:
        return "It has ended."
    where = f"Step {standing.step + 1} of {len(reading.plan.steps)} covers {standing.coverage * 100:g} %"
    waiting = f", and waits for {', '.join(standing.waits_for)}" if standing.waits_for else ""
    return f"{where} of its range{waiting}."


def _units(reading: Reading) -> list[UnitCount]:
    units = reading.units
    total = sum(units.values())
    return [UnitCount(name, units[name], weight * total) for name, weight in reading.plan.weights.items()]


def _sheet(reading: Reading) -> Sheet:
    plan, verdict = reading.plan, reading.verdict
    first, shared = plan.goals[0], {"not_before": _not_before(reading)}
    goals = [
        {
            **row_of(one.comparison, _told(one)),
            **shared,
            "is_first": one.comparison.metric.name == first,
            "chance": one.chance.chance_to_beat if one.chance else None,
        }
        for one in verdict.goals
    ]
    guardrails = [row_of(one.comparison, _told_guardrail(one)) | shared for one in verdict.guardrails]
    url = _csv_url("goals_csv", reading)
    return Sheet("Goals and guardrails", COLUMNS, [*goals, *guardrails], url, _ABOUT, main="is_first")


def _told(goal: GoalReading) -> str:
    """Bounds decide the first goal of a planned test; later ones have a p at its end alone."""
    if goal.is_sure:
        return "differs"
    return "may be chance" if goal.looks or goal.p_adjusted is not None else "not read yet"


def _told_guardrail(guardrail: GuardrailReading) -> str:
    least = guardrail.comparison.metric.least
    since = f", from {least:g} ms on" if least else ""
    return f"guardrail {'broken' if guardrail.is_broken else 'holds'} (margin {guardrail.margin:.0%}{since})"


def _not_before(reading: Reading) -> str:
    """Since when the p of the end may be read; empty where it may."""
    if is_over(reading.plan, reading.figures):
        return ""
    at = reading.summary.horizon_at
    return f"from {at:%Y-%m-%d}" if at else "never: it ended before"


def row_of(found: Comparison, reading: str) -> dict[str, Any]:
    lift, ends = lift_of(found)
    low, high = ends or (None, None)
    adjusted = found.adjusted
    before = adjusted.rel_ci if adjusted else None
    return {
        "metric": found.metric.title,
        "variant": found.variant,
        "control": found.control,
        "treatment": found.treatment,
        "lift": lift,
        "low": low,
        "high": high,
        "p_any_time": found.any_time.p_value,
        "p_fixed": found.fixed.p_value,
        "adjusted_low": before[0] if before else None,
        "adjusted_high": before[1] if before else None,
        "reading": reading,
    }


def lift_of(found: Comparison) -> tuple[float | None, tuple[float, float] | None]:
    return effect_of(found.any_time, absolute=found.metric.absolute)


def effect_of(effect: Effect, *, absolute: bool) -> tuple[float | None, tuple[float, float] | None]:
    return (effect.estimate, effect.ci) if absolute else (effect.rel_lift, effect.rel_ci)


def _chart(verdict: Verdict) -> Chart | None:
    intervals = [_interval(one.comparison, is_main=number == 0) for number, one in enumerate(verdict.goals)]
    known = any(one.value is not None for one in intervals)
    return interval_chart(intervals, guide=(0.0, "no difference"), within=DIFFERENCES) if known else None


def _interval(found: Comparison, *, is_main: bool) -> Interval:
    lift, ends = lift_of(found)
    label = f"{found.metric.title}, {found.variant}"
    if lift is None or ends is None:
        return Interval(label, None, None, "not known yet")
    note = f"{lift:+.1%}, {ends[0]:+.1%} to {ends[1]:+.1%}"
    return Interval(label, lift, ends, note, is_main=is_main)


def _days(reading: Reading) -> list[dict[str, Any]]:
    """The first goal of each treatment at the end of each day, as the headline reads it."""
    phase, plan, figures = reading.phase, reading.plan, reading.figures
    metric, began = METRICS[plan.goals[0]], phase.started_at.date().toordinal()
    rows = []
    for step, parts in by_day(phase, metric.name).items():
        for treatment in treatments_of(plan):
            one, two = parts.get(plan.control.name), parts.get(treatment)
            if one is None or two is None:
                continue
            found = compare_goal(metric, plan, figures, {metric.name: parts}, treatment)
            lift, ends = lift_of(found)
            low, high = ends or (None, None)
            row = {"day": step - began + 1, "step": step, "variant": treatment, "lift": lift}
            rows.append(row | {"low": low, "high": high, "units": one[0] + two[0]})
    return rows


def _days_chart(rows: Sequence[Mapping[str, Any]], treatment: str) -> Chart | None:
    known = [row for row in rows if row["variant"] == treatment and row["low"] is not None]
    shown = [row for row in known if row["lift"] is not None][-31:]
    if len(shown) < 2:
        return None
    intervals = [
        Interval(
            f"{date.fromordinal(row['step']):%-d %b}",
            row["lift"],
            (row["low"], row["high"]),
            f"{row['lift']:+.1%}, {row['low']:+.1%} to {row['high']:+.1%}",
            is_main=number == len(shown) - 1,
        )
        for number, row in enumerate(shown)
    ]
    return interval_chart(intervals, guide=(0.0, "no difference"), within=DIFFERENCES)
