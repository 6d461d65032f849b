"""What training holds about a person, for the privacy registry: the names of staff, and no viewer."""

from collections.abc import Iterator

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.training.models import BackTest

ERASED = "an erased user"


def register_sources() -> None:
    register_source(DataSource("back_tests", _export_overrides, _erase_overrides))


def _export_overrides(user: User) -> Iterator[Row]:
    """The verdicts that the person overrode, as staff."""
    rows = BackTest.objects.filter(overridden_by=user.username).order_by("id")
    yield from rows.values("recipe_id", "against", "overridden_at", "overridden_because").iterator()


def _erase_overrides(user: User) -> None:
    """What was done stays; who did it is forgotten."""
    BackTest.objects.filter(overridden_by=user.username).update(overridden_by=ERASED)
