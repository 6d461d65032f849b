"""What training holds about a person, for the privacy registry: the names of staff, and no viewer."""

from collections.abc import Iterator
from typing import Any

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.training.models import Activation, BackTest, Recipe, Rollout

ERASED = "an erased user"
_ROLLOUT = (
    "against status is_timed told waits_for reason asked_at started_at promoted_at ended_at ended_because"
)


def register_sources() -> None:
    for name, model, column, told in (
        # The verdicts that the person overrode.
        ("back_tests", BackTest, "overridden_by", "recipe_id against overridden_at overridden_because"),
        ("rollouts", Rollout, "asked_by", _ROLLOUT),
        ("activations", Activation, "by", "at reason"),
        ("holds", Recipe, "held_by", "name held_because"),
    ):
        register_source(_acts(name, model, column, told.split()))


def _acts(name: str, model: Any, column: str, told: list[str]) -> DataSource:
    """What was done stays; who did it is forgotten."""

    def export(user: User) -> Iterator[Row]:
        yield from model.objects.filter(**{column: user.username}).order_by("id").values(*told).iterator()

    def erase(user: User) -> None:
        model.objects.filter(**{column: user.username}).update(**{column: ERASED})

    return DataSource(name, export, erase)
