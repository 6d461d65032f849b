"""A site whose standard recipe can serve, and a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from apps.accounts.models import User
from apps.core import clock as clocks
from apps.core.clock import SimulatedClock
from apps.experiments.models import ServingPolicy
from tests.experiments.setup import HYBRID, make_version
from tests.factories import make_staff
from tests.pages.conftest import nothing_kept

__all__ = ["nothing_kept"]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def servable(db: None, nothing_kept: None) -> None:
    # The row that a migration makes is gone where a test before emptied the tables.
    ServingPolicy.objects.update_or_create(
        pk=ServingPolicy.SINGLETON, defaults={"strategy": HYBRID, "recipe": "standard"}
    )
    make_version()


@pytest.fixture
def boss(db: None) -> User:
    return make_staff(username="boss")


@pytest.fixture
def clock() -> Iterator[SimulatedClock]:
    """Stands at a Monday's noon until it is moved."""
    with clocks.simulated(SimulatedClock(NOON)) as simulated:
        yield simulated
