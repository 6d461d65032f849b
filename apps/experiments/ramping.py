"""How much of its range an experiment covers: a pure function of its steps, its ledger and the time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any

from apps.core.errors import FieldError, InvalidInput

MOST_STEPS = 20
APPROVAL = "somebody's approval"


@dataclass(frozen=True)
class Step:
    """``coverage`` of the range, above 0 to 1, and what is waited for before the next step.

    At least ``hours``, at least ``units`` counted in the phase, and with ``approval`` that somebody approves.
    """

    coverage: float
    hours: float = 0.0
    units: int = 0
    approval: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


WHOLE = (Step(1.0),)
"""The ramp of an experiment that has none: all of it at once."""


@dataclass(frozen=True)
class Entry:
    """A decision of the phase as far as coverage goes; ``kind`` as in ``Decision``."""

    kind: str
    step: int
    at: datetime


@dataclass(frozen=True)
class Standing:
    """Where a ramp stands: the step, by its number from 0, and since when. ``held`` is for how long it ran
    there, without pauses.

    ``waits_for`` are sentences on what keeps it from the next step; empty at the last one, or when it may go
    on now.
    """

    step: int
    coverage: float
    since: datetime
    is_last: bool
    waits_for: tuple[str, ...]
    held: timedelta = timedelta()

    @property
    def may_advance(self) -> bool:
        return not self.is_last and not self.waits_for


def standing(
    steps: Sequence[Step], ledger: Sequence[Entry], *, now: datetime, units: int | None = None
) -> Standing:
    """``ledger`` is in the order in which it was written, and begins with the phase.

    The step is what the ledger says last, whenever it is asked: however late the job that advances comes, it
    finds the ramp where it left it, and each step is held for its time from when it truly began. While the
    experiment does not run no time goes by. ``units`` are those counted in the phase; None leaves out what
    waits for them.
    """
    course = reduce(_after, ledger[1:], _begun(ledger[0]))
    number = min(course.step, len(steps) - 1)
    step, is_last = steps[number], number == len(steps) - 1
    held = course.held if course.halts else course.held + max(now - course.runs_since, timedelta())
    asked = replace(step, approval=step.approval or course.was_undone)
    waits = () if is_last else tuple(_waits_for(asked, held, units, approved=course.is_approved))
    return Standing(number, step.coverage, course.since, is_last, waits, held)


def steps_of(ramp: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps that stored JSON describes; one of all where there is none.

    Raises ``InvalidInput`` with all that is wrong, for JSON from outside.
    """
    if not isinstance(ramp, list | tuple) or len(ramp) > MOST_STEPS:
        raise InvalidInput.of(
            "/ramp", f'Give a list of up to {MOST_STEPS} steps such as [{{"coverage": 0.2}}].'
        )
    errors: list[FieldError] = []
    steps = [_step(given, number, errors) for number, given in enumerate(ramp)]
    for number, (one, other) in enumerate(pairwise(steps), start=1):
        if one and other and other.coverage < one.coverage:
            errors.append(
                FieldError(f"/ramp/{number}/coverage", "A step covers no less than the one before.")
            )
    if errors:
        raise InvalidInput(errors[0].detail, errors=errors)
    return tuple(step for step in steps if step) or WHOLE


@dataclass(frozen=True)
class _Course:
    """Where a ledger has led. The step was held for ``held``, and since ``runs_since`` unless ``halts``, of
    which an end after a pause is the second.
    """

    step: int
    since: datetime
    held: timedelta
    runs_since: datetime
    halts: int
    is_approved: bool
    was_undone: bool = False
    """Somebody took the next step back: it is gone on to once somebody says so."""


_BEGINS = ("start", "phase", "promote", "advance")
_HALTS = ("pause", "stop", "ship", "roll_back")
_KEYS = {"coverage": (int, float), "hours": (int, float), "units": (int,), "approval": (bool,)}


def _begun(entry: Entry) -> _Course:
    return _Course(entry.step, entry.at, timedelta(), entry.at, halts=0, is_approved=False)


def _after(course: _Course, entry: Entry) -> _Course:
    """What is undone leads back: to the step before, which begins anew, or on with the one that stands."""
    if entry.kind in _BEGINS:
        return _begun(entry)
    if entry.kind == "undo" and entry.step != course.step:
        return replace(_begun(entry), was_undone=True)
    if entry.kind in _HALTS:
        ran = timedelta() if course.halts else max(entry.at - course.runs_since, timedelta())
        return replace(course, held=course.held + ran, halts=course.halts + 1)
    if entry.kind in ("resume", "undo"):
        # A phase that began in a pause has none in its ledger.
        return replace(course, runs_since=entry.at, halts=max(course.halts - 1, 0))
    return replace(course, is_approved=True) if entry.kind == "approve" else course


def _waits_for(step: Step, held: timedelta, units: int | None, *, approved: bool) -> list[str]:
    found = []
    hours = held / timedelta(hours=1)
    if hours < step.hours:
        found.append(f"{step.hours - hours:.1f} of {step.hours:g} hours")
    if units is not None and units < step.units:
        found.append(f"{step.units - units:,} of {step.units:,} units")
    if step.approval and not approved:
        found.append(APPROVAL)
    return found


def _step(given: object, number: int, errors: list[FieldError]) -> Step | None:
    pointer = f"/ramp/{number}"
    if not isinstance(given, Mapping) or "coverage" not in given:
        errors.append(FieldError(pointer, 'Give an object such as {"coverage": 0.2, "hours": 24}.'))
        return None
    wrong = [key for key, value in given.items() if not _fits(key, value)]
    if wrong:
        known = ", ".join(_KEYS)
        detail = f"A step has {known}, numbers from 0 and approval true or false; not this {wrong[0]!r}."
        errors.append(FieldError(f"{pointer}/{wrong[0]}", detail))
        return None
    step = Step(**given)
    # A JSON 1 is the same as 1.0, and goes into the same digest.
    step = replace(step, coverage=float(step.coverage), hours=float(step.hours))
    if not 0 < step.coverage <= 1:
        errors.append(FieldError(f"{pointer}/coverage", "Coverage lies above 0 and up to 1."))
        return None
    return step


def _fits(key: object, value: object) -> bool:
    kinds = _KEYS.get(key) if isinstance(key, str) else None
    if kinds is None or (isinstance(value, bool) and kinds != (bool,)):
        return False
    return isinstance(value, kinds) and (isinstance(value, bool) or 0 <= value < 1e6)
