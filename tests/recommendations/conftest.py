"""The small house of films, with a model of the test's own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from apps.accounts.models import User
from tests.factories import make_rating, make_user
from tests.house import House
from tests.pages.conftest import house, nothing_kept

__all__ = ["house", "nothing_kept"]


@pytest.fixture
def fan(house: House) -> User:
    """Loves three horror films."""
    user = make_user()
    for film in house.horror[:3]:
        make_rating(user, film, 5.0)
    return user


@pytest.fixture
def time_machine_at_noon() -> Iterator[None]:
    """A noon in UTC that is one o'clock in the night in Auckland and eight in the morning in New York."""
    with time_machine.travel(datetime(2026, 3, 14, 12, tzinfo=UTC), tick=False):
        yield
