"""A slate is written whole or not at all."""

from collections.abc import Sequence

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.events.insertion import Impression, Served, Shared, SlateLog
from apps.events.models import RecommendationEvent, Slate, SlateAssignment
from apps.events.services import record_slates
from tests.rows import make_movie, make_user

pytestmark = pytest.mark.django_db

SHARED = Shared(bandit_context=7, experiment_id="half", variant="b", explored=True, weight=1.25)
SERVED = [
    Served(experiment_key="half", layer="strategy", phase=1, variant="b", counted=True),
    Served(experiment_key="recipe", layer="recipe", phase=2, variant="control", counted=False),
]


def make_slate() -> Slate:
    viewer = make_user()
    return Slate(
        unit_key=viewer.unit_key,
        user_id=viewer.pk,
        surface="api",
        strategy="hybrid",
        strategy_config={"policy": "fixed"},
        recipe="standard",
        model_version="",
        policy_version=1,
        context={"time_of_day": "night"},
        context_index=0,
        counted=True,
        n_requested=20,
        n_returned=2,
        latency_ms=1.5,
        seed=2**62,
        owners=["hybrid", "svd"],
        history=b"\x00\xff'",
        created_at=timezone.now(),
    )


def make_impressions(positions: Sequence[int]) -> list[Impression]:
    return [
        Impression(
            movie_id=make_movie().pk,
            position=position,
            algorithm="hybrid",
            score=0.1 + position,
            confidence=None,
            propensity=1 / 3,
            is_long_tail=position == 2,
            is_niche=False,
            reason={"text": "Because you liked L'été d\\'Amélie 100 %", "movie_ids": [position]},
        )
        for position in positions
    ]


def record_slate(
    slate: Slate, *, shared: Shared, impressions: list[Impression], served: Sequence[Served] = ()
) -> list[int]:
    """The event ids of one slate by itself."""
    (ids,) = record_slates([SlateLog(slate, shared, impressions, served)])
    return ids


def test_writes_every_value_as_it_was_given():
    slate, impressions = make_slate(), make_impressions([1, 2])
    record_slate(slate, shared=SHARED, impressions=impressions, served=SERVED)
    read = Slate.objects.get()
    for field in Slate._meta.concrete_fields:
        stored = getattr(read, field.attname)
        assert (bytes(stored) if isinstance(stored, memoryview) else stored) == getattr(slate, field.attname)
    for event, impression in zip(RecommendationEvent.objects.order_by("position"), impressions, strict=True):
        assert (
            Impression(
                movie_id=event.movie_id,
                position=event.position,
                algorithm=event.algorithm,
                score=event.recommendation_score,
                confidence=event.algorithm_confidence,
                propensity=event.propensity,
                is_long_tail=event.is_long_tail,
                is_niche=event.is_niche,
                reason=event.reason,
            )
            == impression
        )
        assert (
            Shared(
                bandit_context=event.bandit_context,
                experiment_id=event.experiment_id,
                variant=event.variant,
                explored=event.explored,
                weight=event.weight,
            )
            == SHARED
        )
        assert (event.slate_id, event.user_id) == (slate.pk, slate.user_id)
        assert (event.context, event.created_at) == (slate.context, slate.created_at)
        assert (event.outcome, event.clicked, event.rating_value) == ("pending", False, None)


def test_event_ids_come_in_the_order_of_the_impressions():
    ids = record_slate(make_slate(), shared=SHARED, impressions=make_impressions([3, 1, 2]))
    positions = dict(RecommendationEvent.objects.values_list("pk", "position"))
    assert [positions[pk] for pk in ids] == [3, 1, 2]


def test_each_experiment_of_the_unit_is_one_assignment():
    slate = make_slate()
    record_slate(slate, shared=SHARED, impressions=make_impressions([1]), served=SERVED)
    rows = SlateAssignment.objects.order_by("experiment_key")
    assert list(rows.values_list("slate_id", "experiment_key", "phase", "variant", "counted")) == [
        (slate.pk, "half", 1, "b", True),
        (slate.pk, "recipe", 2, "control", False),
    ]


def test_a_list_without_films_is_a_slate_without_impressions():
    assert record_slate(make_slate(), shared=SHARED, impressions=[]) == []
    assert Slate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_refused_impression_leaves_nothing_behind():
    with pytest.raises(IntegrityError):
        record_slate(make_slate(), shared=SHARED, impressions=make_impressions([1, 1]), served=SERVED)
    assert not Slate.objects.exists()
    assert not SlateAssignment.objects.exists()
    assert not RecommendationEvent.objects.exists()


def test_joins_the_transaction_of_its_caller():
    with transaction.atomic():
        record_slate(make_slate(), shared=SHARED, impressions=make_impressions([1, 2]))
        transaction.set_rollback(True)
    assert not Slate.objects.exists()


def test_writes_several_slates_each_with_its_own():
    first, second, third = make_slate(), make_slate(), make_slate()
    ids = record_slates(
        [
            SlateLog(first, SHARED, make_impressions([2, 1]), SERVED),
            SlateLog(second, SHARED, [], SERVED[:1]),
            SlateLog(third, SHARED, make_impressions([1, 2, 3])),
        ]
    )
    events = {event.pk: event for event in RecommendationEvent.objects.all()}
    assert [[events[pk].position for pk in of_one] for of_one in ids] == [[2, 1], [], [1, 2, 3]]
    for slate, of_one in zip((first, second, third), ids, strict=True):
        assert {(events[pk].slate_id, events[pk].user_id) for pk in of_one} <= {(slate.pk, slate.user_id)}
    assigned = SlateAssignment.objects.order_by("pk").values_list("slate_id", "experiment_key")
    assert list(assigned) == [(first.pk, "half"), (first.pk, "recipe"), (second.pk, "half")]


@pytest.mark.parametrize("n_slates", [1, 5])
def test_takes_the_same_statements_for_one_slate_as_for_several(n_slates, django_assert_num_queries):
    logs = [SlateLog(make_slate(), SHARED, make_impressions([1, 2]), SERVED) for _ in range(n_slates)]
    with transaction.atomic(), django_assert_num_queries(1 if connection.vendor == "postgresql" else 5):
        record_slates(logs)
