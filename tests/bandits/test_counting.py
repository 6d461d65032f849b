"""What is served and said is counted once, whatever the order, and of nothing else anything."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.privacy import erase_user
from apps.bandits.services import check, count_slates
from apps.events.models import Feedback, RecommendationEvent
from apps.events.services import expire_pending
from tests.bandits.log import cells, make_log, make_policy, say, serve
from tests.factories import make_user

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_a_slate_counts_its_films_by_arm_and_whose_arm_came_first() -> None:
    policy = make_policy()
    serve(make_log(policy, ["svd", "als", "svd"], at=policy.started_at))
    serve(make_log(policy, ["svd"], context=8, at=policy.started_at))
    assert cells(policy) == {
        (7, "als"): (1, 0, 1.0, 0.0, 0.0),
        (7, "svd"): (2, 0, 2.0, 0.0, 1.0),
        (8, "svd"): (1, 0, 1.0, 0.0, 1.0),
    }


def test_slates_of_one_page_are_one_statement_in_the_order_of_the_cells() -> None:
    policy = make_policy()
    logs = [make_log(policy, ["svd", "als"], context=context) for context in (9, 3)]
    with CaptureQueriesContext(connection) as captured:
        count_slates(logs)
    assert len(captured) == 1
    assert list(cells(policy)) == [(3, "als"), (3, "svd"), (9, "als"), (9, "svd")]


@pytest.mark.parametrize(
    ("arms", "values"),
    [(["svd"], {"counted": False}), ([None], {}), (["svd"], {"bandit_version": None})],
)
def test_what_does_not_count_is_not_counted(arms: Any, values: Any) -> None:
    policy, viewer = make_policy(), make_user()
    log = make_log(policy, arms, viewer=viewer)
    for name, value in values.items():
        setattr(log.slate, name, value)
    (event_id,) = serve(log)
    say(viewer, event_id, "click")
    assert RecommendationEvent.objects.get().outcome == "success"
    assert cells(policy) == {}
    assert check(policy.version).differing == []


def test_a_later_slate_weighs_more_in_a_state_that_forgets() -> None:
    policy, viewer = make_policy(half_life_days=2.0, started_at=NOON), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer, at=NOON + timedelta(days=4)))
    say(viewer, event_id, "click")
    first_draw = 2 ** (4 / 7)
    assert cells(policy) == {(7, "svd"): (1, 1, 4.0, 4.0, pytest.approx(first_draw))}
    assert check(policy.version).differing == []


def test_a_replay_counts_nothing_and_what_is_taken_back_counts_no_more() -> None:
    policy, viewer = make_policy(), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    for _ in range(3):
        say(viewer, event_id, "favorite", client_id="once")
    assert cells(policy)[7, "svd"][1] == 1
    say(viewer, event_id, "unfavorite")
    assert cells(policy)[7, "svd"][:4] == (1, 0, 1.0, 0.0)


ACTS = [
    ("click", None),
    ("rate", 5.0),
    ("rate", 1.0),
    ("unrate", None),
    ("dismiss", None),
    ("undismiss", None),
    ("favorite", None),
    ("unfavorite", None),
]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, len(ACTS) - 1), max_size=12))
def test_whatever_is_said_in_whatever_order_counts_are_those_of_the_log(order: list[int]) -> None:
    policy, viewer = make_policy(half_life_days=3.0), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    for number in order:
        kind, value = ACTS[number]
        at = timezone.now() - timedelta(minutes=number)
        say(viewer, event_id, kind, value=value, client_id=f"act-{number}", occurred_at=at)
    is_success = RecommendationEvent.objects.get(pk=event_id).outcome == "success"
    assert cells(policy)[7, "svd"][:2] == (1, is_success)
    assert check(policy.version).differing == []


def test_expiry_closes_rows_and_changes_no_count() -> None:
    policy, viewer = make_policy(), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    before = cells(policy)
    assert expire_pending(now=timezone.now() + timedelta(days=8)) == 1
    assert cells(policy) == before
    say(viewer, event_id, "click")
    assert cells(policy)[7, "svd"][1] == 1, "what is said after it still counts"
    assert check(policy.version).differing == []


def test_a_viewer_who_is_erased_leaves_the_counts() -> None:
    policy, viewer = make_policy(), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    say(viewer, event_id, "click")
    before = cells(policy)
    erase_user(viewer)
    assert not Feedback.objects.exists()
    assert cells(policy) == before
    assert check(policy.version).differing == []


def test_counting_is_the_last_that_feedback_does() -> None:
    policy, viewer = make_policy(), make_user()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    with CaptureQueriesContext(connection) as captured:
        say(viewer, event_id, "click")
    asked = [query["sql"] for query in captured if not query["sql"].startswith(("RELEASE", "COMMIT"))]
    assert "UPDATE bandit_states" in asked[-1]
    assert sum("bandit_states" in sql for sql in asked) == 1
