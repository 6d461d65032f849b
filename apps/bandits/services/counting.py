"""Counting what is served and what comes of it, in the transaction of each.

Each function is one statement, and must be the last of its transaction: rows of ``bandit_states`` are held
for as short as can be, and always in the same order, so that no two transactions wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import connection

from apps.events.insertion import SlateLog
from apps.events.outcome import Outcome

_COLUMNS = ("policy_version", "context", "arm", "shown", "shown_weighted", "first_draws")
_UPSERT = """
INSERT INTO bandit_states ({columns}) VALUES {rows}
ON CONFLICT (policy_version, context, arm) DO UPDATE SET
shown = bandit_states.shown + excluded.shown,
shown_weighted = bandit_states.shown_weighted + excluded.shown_weighted,
first_draws = bandit_states.first_draws + excluded.first_draws
"""
_REWARD = """
UPDATE bandit_states AS cell
SET successes = cell.successes + %(delta)s,
successes_weighted = cell.successes_weighted + %(delta)s * film.weight
FROM recommendation_events AS film JOIN slates ON slates.id = film.slate_id
WHERE film.id = %(event)s AND slates.counted AND film.propensity IS NOT NULL
AND cell.policy_version = slates.bandit_version
AND cell.context = film.bandit_context AND cell.arm = film.algorithm
"""


class _Cell(NamedTuple):
    """A row of the state; cells sort in the order in which rows are locked."""

    version: int
    context: int
    arm: str


class _Count(NamedTuple):
    shown: int = 0
    weight: float = 0.0
    first_draw: float = 0.0


def count_slates(logs: Sequence[SlateLog]) -> None:
    """Adds films shown and first draws of the slates that count and that a bandit drew; maybe none."""
    sums: dict[_Cell, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for log in logs:
        for cell, count in _counts(log):
            sums[cell] = [one + more for one, more in zip(sums[cell], count, strict=True)]
    if not sums:
        return
    places = ", ".join([f"({', '.join(['%s'] * len(_COLUMNS))})"] * len(sums))
    values: list[int | float | str] = []
    for cell in sorted(sums):
        values += [*cell, *sums[cell]]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT.format(columns=", ".join(_COLUMNS), rows=places), values)


def count_outcome(*, event_id: int, before: Outcome, after: Outcome) -> None:
    """Counts that an impression became a success, or is one no more. Of others nothing is counted."""
    delta = (after is Outcome.SUCCESS) - (before is Outcome.SUCCESS)
    if delta:
        with connection.cursor() as cursor:
            cursor.execute(_REWARD, {"delta": delta, "event": event_id})


def is_counted(log: SlateLog) -> bool:
    """Whether a bandit drew the slate, and it counts."""
    return (
        log.slate.counted and log.slate.bandit_version is not None and log.shared.bandit_context is not None
    )


def _counts(log: SlateLog) -> Iterator[tuple[_Cell, _Count]]:
    version, context = log.slate.bandit_version, log.shared.bandit_context
    if not is_counted(log) or version is None or context is None:
        return
    for impression in log.impressions:
        if impression.propensity is not None:
            yield _Cell(version, context, impression.algorithm), _Count(1, log.shared.weight)
    drawn = log.slate.posterior.get("arms")
    if drawn:
        yield _Cell(version, context, drawn[0]), _Count(first_draw=log.slate.posterior["draw_weight"])
