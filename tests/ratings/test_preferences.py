from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.core.errors import InvalidInput
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, WatchlistItem
from apps.ratings.services import record_preference, set_rating, withdraw_rating
from tests.factories import make_movie, make_rating, make_user

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS: tuple[type[Preference], ...] = (Rating, Favorite, WatchlistItem, Dismissal, Thumb)
STATES = {Rating: "value", Favorite: "is_active", WatchlistItem: "is_active", Dismissal: "is_active"}

Act = tuple[str, float | None, int]
acts = st.one_of(
    st.tuples(st.just("rate"), st.sampled_from([0.5, 3.0, 5.0]), st.integers(0, 2)),
    st.tuples(st.just("unrate"), st.none(), st.integers(0, 2)),
    st.tuples(st.sampled_from(["favorite", "unfavorite"]), st.none(), st.integers(0, 1)),
    st.tuples(st.sampled_from(["dismiss", "undismiss"]), st.none(), st.integers(0, 1)),
    st.tuples(st.sampled_from(["watchlist", "unwatchlist"]), st.none(), st.integers(0, 1)),
    st.tuples(st.sampled_from(["thumbs_up", "thumbs_down", "thumbs_clear"]), st.none(), st.integers(0, 1)),
)


def state_after(order: list[Act]) -> tuple[object, ...]:
    """What stands of a new viewer and film after the acts, and what the film counts."""
    user, movie = make_user(password=None), make_movie()
    for kind, value, minute in order:
        at = NOON + timedelta(minutes=minute)
        record_preference(user_id=user.pk, movie_id=movie.pk, kind=kind, value=value, at=at)
    movie.refresh_from_db()
    rows = [
        tuple(
            model._default_manager.values_list(STATES.get(model, "direction"), "changed_at").filter(user=user)
        )
        for model in MODELS
    ]
    return (*rows, movie.rating_sum, movie.rating_count)


class OrderOfArrival(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(acts, min_size=2, max_size=4))
    def test_any_order_and_any_repetition_give_the_same_state(self, given_acts: list[Act]) -> None:
        expected = state_after(given_acts)
        for order in permutations(given_acts):
            assert state_after([*order, order[0]]) == expected


@pytest.mark.django_db
def test_a_change_of_mind_moves_the_sum_but_not_the_count() -> None:
    rating = make_rating(value=2.0, at=NOON)
    assert set_rating(user=rating.user, movie=rating.movie, value=4.5, at=NOON + timedelta(minutes=1))
    rating.movie.refresh_from_db()
    assert (rating.movie.rating_sum, rating.movie.rating_count) == (4.5, 1)


@pytest.mark.django_db
def test_a_withdrawn_rating_leaves_a_tombstone_that_a_late_message_cannot_lift() -> None:
    rating = make_rating(value=4.0, at=NOON)
    assert withdraw_rating(user=rating.user, movie=rating.movie, at=NOON + timedelta(hours=1))
    assert not set_rating(user=rating.user, movie=rating.movie, value=5.0, at=NOON + timedelta(minutes=5))
    rating.refresh_from_db()
    rating.movie.refresh_from_db()
    assert rating.value is None
    assert (rating.movie.rating_sum, rating.movie.rating_count) == (0.0, 0)


@pytest.mark.django_db
def test_the_same_act_later_keeps_the_state_and_moves_the_time() -> None:
    rating = make_rating(value=4.0, at=NOON)
    assert not set_rating(user=rating.user, movie=rating.movie, value=4.0, at=NOON + timedelta(hours=1))
    rating.refresh_from_db()
    assert rating.changed_at == NOON + timedelta(hours=1)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["unrate", "unfavorite", "unwatchlist", "undismiss", "thumbs_clear"])
def test_taking_back_what_never_was_changes_nothing(kind: str) -> None:
    user, movie = make_user(), make_movie()
    assert not record_preference(user_id=user.pk, movie_id=movie.pk, kind=kind, value=None, at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("value", [0.0, 0.25, 5.5, float("nan"), None])
def test_refuses_stars_that_are_not_halves(value: float | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        record_preference(user_id=1, movie_id=1, kind="rate", value=value, at=NOON)
    assert refusal.value.detail == "A rating is 0.5 to 5 stars in steps of a half."


@pytest.mark.django_db
def test_refuses_an_unknown_kind() -> None:
    with pytest.raises(InvalidInput) as refusal:
        record_preference(user_id=1, movie_id=1, kind="like", value=None, at=NOON)
    assert refusal.value.detail.startswith("There is no preference 'like'; there are: rate, unrate, favorite")
