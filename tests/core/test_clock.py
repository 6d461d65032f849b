"""The machine's clock and a simulation's, and what is kept for a moment by either."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.core import clock
from apps.core.cached import Brief
from apps.core.clock import SimulatedClock
from apps.core.identifiers import first_uuid7, uuid7

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_without_a_simulation_it_is_the_machines_time() -> None:
    before = timezone.now()
    assert before <= clock.now() <= timezone.now()


def test_a_simulated_clock_stands_still_until_it_is_moved() -> None:
    with clock.simulated(SimulatedClock(NOON)) as time:
        assert clock.now() == NOON
        assert clock.now() == NOON
        time.move_by(timedelta(hours=3))
        assert clock.now() == NOON + timedelta(hours=3)
    assert clock.now() > NOON + timedelta(hours=3)


def test_a_simulated_clock_never_runs_backwards() -> None:
    with clock.simulated(SimulatedClock(NOON)) as time, pytest.raises(ValueError, match="cannot go back"):
        time.move_to(NOON - timedelta(seconds=1))


def test_another_thread_goes_on_with_the_machines_time() -> None:
    seen = []
    with clock.simulated(SimulatedClock(NOON)):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen[0] != NOON


def test_identifiers_of_a_simulation_sort_by_its_time() -> None:
    with clock.simulated(SimulatedClock(NOON)) as time:
        early = uuid7()
        time.move_by(timedelta(days=1))
        late = uuid7()
    assert first_uuid7(NOON) <= early < first_uuid7(NOON + timedelta(days=1)) <= late < uuid7()


@pytest.fixture
def brief(settings: Any) -> Brief[int]:
    """Counts how often it was read."""
    settings.VERSION_TTL_SECONDS = 2
    numbers = iter(range(100))
    return Brief(lambda: next(numbers))


def test_what_is_kept_for_a_moment_is_read_anew_when_the_simulated_moment_is_over(brief: Brief[int]) -> None:
    with clock.simulated(SimulatedClock(NOON)) as time:
        assert (brief.get(), brief.get()) == (0, 0)
        time.move_by(timedelta(seconds=1.9))
        assert brief.get() == 0
        time.move_by(timedelta(seconds=0.2))
        assert brief.get() == 1


def test_what_was_kept_by_one_clock_is_not_good_by_another(brief: Brief[int]) -> None:
    assert brief.get() == 0
    with clock.simulated(SimulatedClock(NOON)):
        assert (brief.get(), brief.get()) == (1, 1)
    assert (brief.get(), brief.get()) == (2, 2)
