"""What experiments hold about a person, for the privacy registry."""

from collections.abc import Iterator

from apps.accounts.models import User
from apps.accounts.privacy import DataSource, Row, register_source
from apps.experiments.models import Override

_OVERRIDE = "experiment_id variant reason created_at".split()


def register_sources() -> None:
    register_source(DataSource("experiment_overrides", _export, _erase))


def _export(user: User) -> Iterator[Row]:
    yield from Override.objects.filter(unit_key=user.unit_key).values(*_OVERRIDE).iterator()


def _erase(user: User) -> None:
    Override.objects.filter(unit_key=user.unit_key).delete()
