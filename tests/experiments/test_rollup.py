"""The sums that results are read from say what the log says."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.algorithms.statistics.latency import LatencyHistogram
from apps.core import clock as clocks
from apps.core.clock import SimulatedClock
from apps.events.models import RecommendationEvent, Slate, SlateAssignment
from apps.experiments.models import Experiment, LatencyDay, Rollup, Snapshot, UnitDay, UnitTotal
from apps.experiments.services import rebuild, roll_up
from tests.experiments.setup import make_experiment
from tests.experiments.traffic import click, show

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def summed(metric: str, part: str, variant: str = "treatment", axis: str = "day") -> float:
    rows = Snapshot.objects.filter(metric=metric, variant=variant, axis=axis)
    return rows.aggregate(total=Sum(part))["total"] or 0.0


def by_hand(metric_top: str, variant: str) -> tuple[float, float, float, float]:
    """Units, and the sums of clicks, of their squares and of their products with films shown."""
    clicks: Mapping[UUID | None, float] = defaultdict(float)
    shown: dict[UUID | None, float] = defaultdict(float)
    own = SlateAssignment.objects.filter(variant=variant, counted=True).values("slate_id")
    for event in RecommendationEvent.objects.filter(slate_id__in=own).select_related("slate"):
        shown[event.slate.unit_key] += 1
        clicks[event.slate.unit_key] += getattr(event, metric_top)  # type: ignore[index] # a defaultdict
    pairs = [(clicks[unit], shown[unit]) for unit in shown]
    return (
        len(pairs),
        sum(top for top, _ in pairs),
        sum(top**2 for top, _ in pairs),
        sum(top * bottom for top, bottom in pairs),
    )


def assert_right(*variants: str) -> None:
    for variant in variants:
        found = tuple(summed("ctr", part, variant) for part in ("n", "top", "top_squares", "products"))
        assert found == by_hand("clicked", variant), variant


def test_sums_over_units_are_those_of_the_log() -> None:
    experiment, unit = make_experiment(), uuid4()
    show(experiment, "treatment", unit=unit, clicked=[1, 2])
    show(experiment, "treatment", unit=unit, clicked=[3], n=5)
    show(experiment, "treatment")
    show(experiment, "control", clicked=[1])
    show(experiment, "control", counted=False, clicked=[1, 2, 3])
    roll_up()
    assert_right("treatment", "control")
    assert summed("ctr", "top_squares") == 9
    assert summed("long_tail_rate", "top") == 3
    assert summed("clicked_units", "top") == 1
    assert summed("genres_per_list", "top") == 6


def test_feedback_that_comes_late_counts_on_the_day_of_its_list() -> None:
    experiment, unit = make_experiment(), uuid4()
    with time_machine.travel(NOON, tick=False):
        early = show(experiment, "treatment", unit=unit)
        roll_up()
    with time_machine.travel(NOON + DAY, tick=False):
        show(experiment, "treatment", unit=unit, clicked=[1])
        roll_up()
    with time_machine.travel(NOON + 3 * DAY, tick=False):
        click(early.events.get(position=2))
        roll_up()
    days = UnitDay.objects.order_by("day").values_list("day", "clicks", "shown")
    assert list(days) == [(NOON.date(), 1, 3), ((NOON + DAY).date(), 1, 3)]
    assert_right("treatment")
    assert UnitTotal.objects.get().clicks == 2
    first = Snapshot.objects.get(metric="ctr", axis="day", step=NOON.date().toordinal())
    assert (first.n, first.top, first.top_squares) == (1, 1, 1)
    later = Snapshot.objects.get(metric="ctr", axis="day", step=NOON.date().toordinal() + 1)
    assert (later.n, later.top, later.top_squares) == (0, 1, 3)


def test_counting_again_changes_nothing() -> None:
    experiment = make_experiment()
    for _ in range(3):
        show(experiment, "treatment", clicked=[1], latency_ms=30.0)
    roll_up()
    before = list(Snapshot.objects.order_by("pk").values())
    assert roll_up().unit_days == 3
    assert list(Snapshot.objects.order_by("pk").values()) == before
    assert LatencyHistogram.from_json(LatencyDay.objects.get().counts).n == 3


def test_a_random_history_counted_as_it_comes_equals_a_rebuild() -> None:
    """Lists, silence, late clicks and stars in any order, counted at any time."""
    rng = np.random.default_rng(5)
    experiment, units = make_experiment(), [uuid4() for _ in range(6)]
    for step in range(40):
        with time_machine.travel(NOON + step * timedelta(hours=5), tick=False):
            unit = int(rng.integers(6))
            slate = show(experiment, ("control", "treatment")[unit % 2], unit=units[unit])
            if rng.random() < 0.6:
                event = RecommendationEvent.objects.order_by("?").first()
                assert event is not None
                click(event, stars=float(rng.integers(1, 6)))
            if rng.random() < 0.4:
                roll_up()
    assert slate
    with time_machine.travel(NOON + 20 * DAY, tick=False):
        roll_up()
    assert_right("control", "treatment")
    assert_same_as_rebuilt()


def assert_same_as_rebuilt() -> None:
    names = ("variant", "segment", "axis", "step", "metric")
    before = {row[:5]: row[5:] for row in _values(names)}
    days = list(
        UnitDay.objects.order_by("unit_key", "day").values_list("unit_key", "day", "clicks", "latency")
    )
    latency = list(LatencyDay.objects.order_by("variant", "day").values_list("variant", "day", "counts"))
    rebuild()
    after = {row[:5]: row[5:] for row in _values(names)}
    for key in before.keys() | after.keys():
        zero = (0.0,) * 9
        assert before.get(key, zero) == pytest.approx(after.get(key, zero)), key
    assert (_days(), _latency()) == (days, latency)


def _days() -> list[tuple[object, ...]]:
    rows = UnitDay.objects.order_by("unit_key", "day")
    return list(rows.values_list("unit_key", "day", "clicks", "latency"))


def _latency() -> list[tuple[object, ...]]:
    return list(LatencyDay.objects.order_by("variant", "day").values_list("variant", "day", "counts"))


def _values(names: tuple[str, ...]) -> list[tuple[object, ...]]:
    parts = ("n", "top", "top_squares", "bottom", "bottom_squares", "products", "pre", "pre_squares")
    return list(Snapshot.objects.values_list(*names, *parts, "pre_products"))


def test_what_a_unit_did_before_it_was_exposed_stands_fast() -> None:
    experiment, other, unit = make_experiment(), make_experiment(), uuid4()
    early = show(other, "control", unit=unit, at=NOON - 3 * DAY, clicked=[1])
    show(other, "control", unit=unit, at=NOON - 20 * DAY, clicked=[1])
    show(experiment, "treatment", unit=unit, at=NOON)
    click(early.events.get(position=2), at=NOON + DAY)
    roll_up()
    total = UnitTotal.objects.get(experiment=experiment)
    assert (total.pre_lists, total.pre_clicks, total.exposed_at) == (1, 1, NOON)
    assert summed("clicks_per_unit", "pre") == 1
    rebuild()
    assert UnitTotal.objects.get(experiment=experiment).pre_clicks == 1


def test_days_since_exposure_hold_what_each_of_them_brought() -> None:
    experiment, unit = make_experiment(), uuid4()
    for age, clicked in ((0, [1]), (2, [1, 2])):
        show(experiment, "treatment", unit=unit, at=NOON + age * DAY, clicked=clicked)
    roll_up()
    rows = Snapshot.objects.filter(metric="ctr", axis="age").order_by("step")
    assert list(rows.values_list("step", "n", "top", "top_squares")) == [(0, 1, 1, 1), (2, 1, 2, 4)]


def test_each_segment_is_kept_apart() -> None:
    experiment = make_experiment()
    show(experiment, "treatment", segment="cold", clicked=[1])
    show(experiment, "treatment", segment="power")
    roll_up()
    rows = Snapshot.objects.filter(metric="ctr", axis="day").order_by("segment")
    assert list(rows.values_list("segment", "n", "top")) == [("cold", 1, 1), ("power", 1, 0)]


def test_a_unit_in_two_experiments_counts_in_both() -> None:
    one, two = make_experiment(), make_experiment()
    slate = show(one, "treatment", clicked=[1])
    SlateAssignment.objects.create(
        slate=slate, experiment_key=two.key, phase=2, variant="control", counted=True
    )
    roll_up()
    found = UnitTotal.objects.order_by("phase").values_list("experiment", "phase", "variant", "clicks")
    assert list(found) == [(one.key, 1, "treatment", 1), (two.key, 2, "control", 1)]


def test_units_that_the_log_has_lost_stay_counted() -> None:
    experiment = make_experiment()
    for _ in range(2):
        show(experiment, "treatment", clicked=[1])
    roll_up()
    erased = Slate.objects.earliest("created_at")
    Slate.objects.filter(pk=erased.pk).update(unit_key=None)
    rebuild()
    roll_up()
    assert summed("ctr", "n") == summed("ctr", "top") == 2


def test_nothing_is_read_twice_but_what_was_written_lately() -> None:
    experiment = make_experiment()
    with time_machine.travel(NOON, tick=False):
        show(experiment, "treatment")
        roll_up()
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        assert roll_up().unit_days == 1
        assert roll_up().unit_days == 0
        assert Rollup.objects.get().until == NOON + timedelta(minutes=30)


def test_a_list_that_comes_late_is_counted() -> None:
    experiment = make_experiment()
    with time_machine.travel(NOON, tick=False):
        show(experiment, "treatment")
        roll_up()
        roll_up()
        assert roll_up().unit_days == 0
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        show(experiment, "treatment", at=NOON - timedelta(minutes=3))
        assert roll_up().unit_days == 2
    assert summed("ctr", "n") == 2


def test_lists_of_a_clock_that_goes_behind_are_counted_once_they_are_asked_for() -> None:
    """As a simulation's, beside a site that counts by its own clock."""
    experiment = make_experiment("test")
    roll_up()
    behind = timezone.now() - timedelta(days=3)
    show(experiment, "control", at=behind)
    roll_up()
    assert UnitTotal.objects.count() == 0
    assert roll_up(since=behind - timedelta(hours=1)).unit_days == 1
    assert UnitTotal.objects.count() == 1
    until = Rollup.objects.get().until
    with clocks.simulated(SimulatedClock(behind)):
        roll_up(since=behind)
    assert Rollup.objects.get().until == until, "what the site has counted stays counted"


def test_the_number_of_queries_does_not_grow_with_the_units() -> None:
    experiment = make_experiment()
    n_queries(experiment, 2)
    assert n_queries(experiment, 3) == n_queries(experiment, 30)


def n_queries(experiment: Experiment, n_units: int) -> int:
    for number in range(n_units):
        show(experiment, ("control", "treatment")[number % 2], clicked=[1])
    with CaptureQueriesContext(connection) as captured:
        roll_up()
    return len(captured)
