"""What training holds of members of staff, for the privacy registry."""

from collections.abc import Iterator
from typing import Any

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.training.models import Activation, Rollout

ERASED = "an erased user"
_ROLLOUT = (
    "against status is_timed told waits_for reason asked_at started_at promoted_at ended_at ended_because"
)


def register_sources() -> None:
    for name, model, column, told in (
        ("rollout_acts", Rollout, "asked_by", _ROLLOUT.split()),
        ("activation_acts", Activation, "by", ["at", "reason"]),
    ):
        register_source(_acts(name, model, column, told))


def _acts(name: str, model: Any, column: str, told: list[str]) -> DataSource:
    """What was done stays; who did it is forgotten."""

    def export(user: User) -> Iterator[Row]:
        yield from model.objects.filter(**{column: user.username}).order_by("id").values(*told).iterator()

    def erase(user: User) -> None:
        model.objects.filter(**{column: user.username}).update(**{column: ERASED})

    return DataSource(name, export, erase)
