"""Where experiments stand: how far they are, what serves of them, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.core import clock
from apps.core.errors import Conflict, NotFound
from apps.experiments.figures import Figures, figures_of_each
from apps.experiments.judging import Verdict, judge
from apps.experiments.models import Decision, Experiment, Phase
from apps.experiments.plans import Plan, day_of_horizon, phase_steps, readable_plan
from apps.experiments.ramping import Entry, Standing, standing
from apps.experiments.running import ledgers_of
from apps.experiments.services.watching import holds_of

MOST_ENTRIES = 50
"""Of a ledger, newest first."""


@dataclass(frozen=True)
class Summary:
    """``phase`` is the open one, else the last; None before the start. ``now`` is when it was asked."""

    experiment: Experiment
    phase: Phase | None
    ledger: tuple[Entry, ...]
    now: datetime

    def standing(self, units: int | None = None) -> Standing | None:
        """Where its ramp stands; None where nothing serves, nor may again. ``units`` as in ``standing``."""
        serving = (Experiment.State.RUNNING, Experiment.State.PAUSED)
        if self.phase is None or self.phase.ended_at is not None or self.experiment.state not in serving:
            return None
        return standing(phase_steps(self.phase), self.ledger, now=self.now, units=units)

    @property
    def coverage(self) -> float:
        """The part of its range that takes part now."""
        found = self.standing() if self.experiment.state == Experiment.State.RUNNING else None
        return 0.0 if found is None else found.coverage

    @property
    def horizon_days(self) -> int:
        """Of its phase; before the start that of the design."""
        days: int = self.phase.plan["horizon_days"] if self.phase else self.experiment.horizon_days
        return days

    @property
    def day(self) -> int | None:
        """Of its phase, from 1; None before the start."""
        if self.phase is None:
            return None
        ran = (self.phase.ended_at or self.now) - self.phase.started_at
        return day_of_horizon(ran / timedelta(days=1), self.horizon_days)

    @property
    def horizon_at(self) -> datetime | None:
        """When its test ends at the latest, as ``reading.is_over`` has it; None where its phase ended before.

        A planned one looks at full UTC days, the one on which it began among them.
        """
        if self.phase is None:
            return None
        at = self.phase.started_at + timedelta(days=self.horizon_days)
        if self.phase.plan["test"] == Experiment.Test.PLANNED:
            at = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return None if self.phase.ended_at and self.phase.ended_at < at else at


@dataclass(frozen=True)
class Reading:
    """What the phase of an experiment has counted, and what that says."""

    summary: Summary
    phase: Phase
    plan: Plan
    figures: Figures
    verdict: Verdict

    @property
    def units(self) -> dict[str, float]:
        """By variant."""
        return self.figures.units(self.plan)

    @property
    def holds(self) -> list[str]:
        """Why its ramp may not go on, whatever the steps ask for."""
        return holds_of(self.plan, self.figures, self.verdict)

    @property
    def standing(self) -> Standing | None:
        """As ``Summary.standing``, what waits for units too."""
        return self.summary.standing(units=int(sum(self.units.values())))


def experiment_named(key: str) -> Experiment:
    """Two queries, its variants included. Raises ``NotFound``."""
    found = Experiment.objects.prefetch_related("variants").filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no experiment {key!r}.")
    return found


def summaries_of(experiments: Sequence[Experiment]) -> list[Summary]:
    """In the order given. Two queries, whatever their number."""
    keys = [one.key for one in experiments]
    phases = {one.experiment_id: one for one in Phase.objects.latest_of(keys)}
    ledgers, now = ledgers_of(keys), clock.now()
    found = []
    for one in experiments:
        phase = phases.get(one.key)
        ledger = ledgers.get((one.key, phase.number), []) if phase else []
        found.append(Summary(one, phase, tuple(ledger), now))
    return found


def readings_of(summaries: Sequence[Summary]) -> list[Reading | None]:
    """In the order given; None before a start, and of a plan that this program cannot read any more.

    Three queries, whatever their number.
    """
    plans = [readable_plan(one.phase) if one.phase else None for one in summaries]
    known = [(one.phase, plan) for one, plan in zip(summaries, plans, strict=True) if one.phase and plan]
    figures = iter(figures_of_each(known, now=clock.now()))
    found: list[Reading | None] = []
    for summary, plan in zip(summaries, plans, strict=True):
        if summary.phase is None or plan is None:
            found.append(None)
            continue
        counted = next(figures)
        found.append(Reading(summary, summary.phase, plan, counted, judge(plan, counted)))
    return found


def require_reading(experiment: Experiment) -> Reading:
    """Five queries. Raises ``NotFound`` for one that never ran, ``Conflict`` where it cannot be read."""
    (summary,) = summaries_of([experiment])
    if summary.phase is None:
        raise NotFound(f"{experiment} never ran: there is nothing to read.")
    (reading,) = readings_of([summary])
    if reading is None:
        raise Conflict(unreadable(experiment))
    return reading


def unreadable(experiment: Experiment) -> str:
    return (
        f"{experiment} was planned with an arm or a metric that this program does not know any more: what it"
        " counted cannot be read."
    )


def newest_entries(experiment: Experiment) -> list[Decision]:
    """Of its ledger, without what they were decided from. One query."""
    rows = Decision.objects.filter(experiment=experiment).order_by("-id")
    return list(rows.defer("figures", "verdict")[:MOST_ENTRIES])
