"""What experiments hold about a person, for the privacy registry."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.experiments.metrics import SUMS
from apps.experiments.models import (
    Decision,
    Experiment,
    Holdout,
    Override,
    Phase,
    ServingPolicy,
    UnitDay,
    UnitTotal,
)
from apps.experiments.services.rollup import rekey

ERASED = "an erased user"
_NAMED: tuple[tuple[Any, str], ...] = (
    (Decision, "by"),
    (Phase, "begun_by"),
    (Experiment, "created_by"),
    (Override, "created_by"),
    (Holdout, "changed_by"),
    (ServingPolicy, "changed_by"),
)
"""Where the name of a member of staff stands."""
_OVERRIDE = "experiment_id variant reason created_at".split()
_DAY = ("experiment_id", "phase", "variant", "day", *SUMS, "latency")
_TOTAL = (
    "experiment_id",
    "phase",
    "variant",
    "segment",
    "exposed_at",
    *SUMS,
    "pre_lists",
    "pre_clicks",
    "pre_rated",
)


def register_sources() -> None:
    register_source(DataSource("experiment_overrides", _export_overrides, _erase_overrides))
    register_source(DataSource("experiment_days", _export_days, _erase_units))
    register_source(DataSource("experiment_totals", _export_totals, _nothing))
    register_source(DataSource("experiment_acts", _export_acts, _erase_acts))


def _export_overrides(user: User) -> Iterator[Row]:
    yield from Override.objects.filter(unit_key=user.unit_key).values(*_OVERRIDE).iterator()


def _export_days(user: User) -> Iterator[Row]:
    rows = UnitDay.objects.filter(unit_key=user.unit_key).order_by("day", "pk")
    yield from rows.values(*_DAY).iterator()


def _export_totals(user: User) -> Iterator[Row]:
    rows = UnitTotal.objects.filter(unit_key=user.unit_key).order_by("exposed_at", "pk")
    yield from rows.values(*_TOTAL).iterator()


def _export_acts(user: User) -> Iterator[Row]:
    """What the person did to experiments, as staff."""
    rows = Decision.objects.filter(by=user.username).order_by("id")
    yield from rows.values("experiment_id", "kind", "at", "reason").iterator()


def _erase_acts(user: User) -> None:
    """What was done stays; who did it is forgotten."""
    for model, field in _NAMED:
        model.objects.filter(**{field: user.username}).update(**{field: ERASED})


def _erase_overrides(user: User) -> None:
    Override.objects.filter(unit_key=user.unit_key).delete()


def _erase_units(user: User) -> None:
    """What an experiment found stays; whose it was is forgotten."""
    rekey(user.unit_key, to=uuid4())


def _nothing(user: User) -> None:
    """``_erase_units`` does both."""
