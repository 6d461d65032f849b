"""What became of an impression depends on what was said, not on the order in which it arrived."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.events.models import Kind
from apps.events.outcome import Facts, Outcome, Said, outcome_of, settle

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def say(kind: str, *, minute: int = 0, value: float | None = None, client_id: str = "a") -> Said:
    return Said(NOON + timedelta(minutes=minute), kind, value, client_id)


acts = st.builds(
    Said,
    occurred_at=st.integers(0, 5).map(lambda minute: NOON + timedelta(minutes=minute)),
    kind=st.sampled_from([kind.value for kind in Kind if kind != Kind.RATE]),
    value=st.none(),
    client_id=st.text("abc", min_size=1, max_size=3),
) | st.builds(
    Said,
    occurred_at=st.integers(0, 5).map(lambda minute: NOON + timedelta(minutes=minute)),
    kind=st.just("rate"),
    value=st.integers(1, 10).map(lambda half: half / 2),
    client_id=st.text("abc", min_size=1, max_size=3),
)


@given(st.lists(acts, max_size=8).flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_any_order_of_arrival_gives_the_same_facts(pair):
    said, shuffled = pair
    assert settle(said) == settle(shuffled)


@given(st.lists(acts, max_size=8))
def test_saying_everything_twice_changes_nothing(said):
    assert settle(said + said) == settle(said)


@given(st.lists(acts, max_size=8))
def test_silence_alone_is_pending_or_ignored(said):
    outcome = outcome_of(settle(said), expired=True)
    assert outcome is not Outcome.PENDING
    assert (outcome_of(settle(said)) is Outcome.PENDING) == (outcome is Outcome.IGNORED)


@pytest.mark.parametrize("kind", ["click", "view", "thumbs_up", "favorite", "watchlist"])
def test_each_sign_of_interest_is_a_success(kind):
    assert outcome_of(settle([say(kind)])) is Outcome.SUCCESS


@pytest.mark.parametrize("kind", ["thumbs_down", "dismiss"])
def test_each_refusal_is_a_failure_even_after_a_click(kind):
    assert outcome_of(settle([say("click"), say(kind, minute=1)])) is Outcome.FAILURE


@pytest.mark.parametrize(
    ("stars", "outcome"),
    [
        (0.5, "failure"),
        (2.0, "failure"),
        (2.5, "pending"),
        (3.5, "pending"),
        (4.0, "success"),
        (5.0, "success"),
    ],
)
def test_a_rating_settles_by_its_stars(stars, outcome):
    assert outcome_of(settle([say("rate", value=stars)])) == outcome


def test_a_low_rating_outweighs_the_click_that_led_to_it():
    assert outcome_of(settle([say("click"), say("rate", minute=1, value=1.0)])) is Outcome.FAILURE


def test_the_latest_rating_counts_even_when_it_arrives_first():
    late, early = say("rate", minute=9, value=2.0), say("rate", minute=1, value=5.0)
    assert settle([late, early]).rating_value == 2.0


def test_what_was_taken_back_no_longer_counts():
    facts = settle(
        [say("favorite"), say("unfavorite", minute=1), say("rate", value=5.0), say("unrate", minute=1)]
    )
    assert facts == Facts()
    assert outcome_of(facts) is Outcome.PENDING


def test_the_first_click_gives_the_time_of_the_click():
    assert settle([say("click", minute=7), say("view", minute=3)]).clicked_at == NOON + timedelta(minutes=3)
