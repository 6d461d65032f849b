"""What is said of a film settles the impression it belongs to: once, and in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.events.models import Feedback, Kind, RecommendationEvent, Slate
from apps.events.outcome import Outcome
from apps.events.services import adopt_unit, expire_pending, roll_up_movie_days
from apps.ratings.models import Favorite, Rating
from apps.recommendations.services import FeedbackRequest, Given, give_feedback
from tests.bandits.log import cells, make_log, make_policy, serve
from tests.factories import make_movie, make_user
from tests.rows import make_slate

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def viewer() -> User:
    return make_user()


def show(viewer: User | None, movie: Movie, *, ago: timedelta = timedelta(minutes=1)) -> RecommendationEvent:
    slate = make_slate(viewer, created_at=NOON - ago)
    return RecommendationEvent.objects.create(
        slate=slate,
        user=viewer,
        movie=movie,
        algorithm="svd",
        recommendation_score=0.5,
        position=1,
        created_at=NOON - ago,
    )


def say(viewer: User, movie: Movie, kind: Kind = Kind.CLICK, **values: Any) -> Given:
    return give_feedback(FeedbackRequest(viewer=viewer, movie_id=movie.pk, kind=kind, **values))


def outcome(event: RecommendationEvent) -> str:
    event.refresh_from_db()
    return event.outcome


def test_a_click_settles_its_impression(viewer):
    event = show(viewer, make_movie())
    given_ = say(viewer, event.movie, event_id=event.pk)
    assert (given_.event_id, given_.is_new, given_.changed) == (event.pk, True, False)
    assert outcome(event) == "success"
    assert (event.clicked, event.clicked_at, event.outcome_at) == (True, NOON, NOON)


def settle_before_the_update(event: RecommendationEvent) -> Any:
    """Makes the outcome another one once, between what is read of the impression and what is written."""
    others = [Outcome.SUCCESS.value]

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if others and sql.startswith('UPDATE "recommendation_events"'):
            context["cursor"].execute(
                "UPDATE recommendation_events SET outcome = %s WHERE id = %s", [others.pop(), event.pk]
            )
        return execute(sql, params, many, context)

    return connection.execute_wrapper(run)


def test_an_outcome_that_was_settled_in_between_is_not_counted_twice(viewer):
    policy = make_policy()
    (event_id,) = serve(make_log(policy, ["svd"], viewer=viewer))
    event = RecommendationEvent.objects.get(pk=event_id)
    said = "What became of this film was settled meanwhile: say it once more"
    with settle_before_the_update(event), pytest.raises(Conflict, match=f"^{said}$"):
        say(viewer, event.movie, event_id=event.pk)
    assert not Feedback.objects.exists(), "nothing is recorded of it"
    assert cells(policy)[7, "svd"][:2] == (1, 0)
    say(viewer, event.movie, event_id=event.pk)
    assert cells(policy)[7, "svd"][:2] == (1, 1)


def test_a_rating_is_kept_counted_and_settles(viewer):
    event = show(viewer, make_movie())
    assert say(viewer, event.movie, Kind.RATE, value=4.5).changed
    event.movie.refresh_from_db()
    assert (event.movie.rating_sum, event.movie.rating_count) == (4.5, 1)
    assert outcome(event) == "success"
    assert (event.rated, event.rating_value, event.rated_at) == (True, 4.5, NOON)


def test_a_repeat_with_the_same_client_id_changes_nothing(viewer):
    movie = make_movie()
    first = say(viewer, movie, Kind.RATE, value=4.0, client_id="once")
    again = say(viewer, movie, Kind.RATE, value=1.0, client_id="once")
    assert again == Given(first.feedback_id, is_new=False, changed=False, event_id=None)
    assert Rating.objects.get().value == 4.0
    assert Feedback.objects.count() == 1


def test_the_latest_act_counts_whichever_arrives_first(viewer):
    event = show(viewer, make_movie(), ago=timedelta(hours=1))
    say(viewer, event.movie, Kind.RATE, value=1.5, occurred_at=NOON)
    say(viewer, event.movie, Kind.RATE, value=5.0, occurred_at=NOON - timedelta(minutes=9))
    assert outcome(event) == "failure"
    assert (event.rating_value, Rating.objects.get().value) == (1.5, 1.5)


ACTS = [
    Kind.CLICK,
    Kind.FAVORITE,
    Kind.UNFAVORITE,
    Kind.THUMBS_UP,
    Kind.THUMBS_DOWN,
    Kind.DISMISS,
    Kind.UNDISMISS,
]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTS), st.integers(0, 50)),
        min_size=1,
        max_size=5,
        unique_by=lambda one: one[1],
    ).flatmap(lambda acts: st.tuples(st.just(acts), st.permutations([*acts, *acts])))
)
def test_any_order_and_any_repetition_gives_the_same_rows(pair):
    acts, shuffled = pair
    ends = []
    for order in (acts, shuffled):
        viewer = make_user()
        event = show(viewer, make_movie(), ago=timedelta(hours=1))
        for kind, minute in order:
            at = NOON - timedelta(minutes=minute)
            say(viewer, event.movie, kind, client_id=f"{kind}-{minute}", occurred_at=at)
        event.refresh_from_db()
        favorite = Favorite.objects.filter(user=viewer, is_active=True).exists()
        ends.append((event.outcome, event.clicked, event.added_to_favorites, event.thumbs_up, favorite))
    assert ends[0] == ends[1]


def test_without_an_event_the_latest_impression_of_the_day_counts(viewer):
    movie = make_movie()
    older, newer = show(viewer, movie, ago=timedelta(hours=3)), show(viewer, movie, ago=timedelta(hours=1))
    assert say(viewer, movie).event_id == newer.pk
    assert (outcome(older), outcome(newer)) == ("pending", "success")


@pytest.mark.parametrize(
    ("kind", "hours", "belongs"),
    [(Kind.CLICK, 23, True), (Kind.CLICK, 25, False), (Kind.RATE, 167, True), (Kind.RATE, 169, False)],
)
def test_clicks_belong_for_a_day_and_ratings_for_a_week(viewer, kind, hours, belongs):
    event = show(viewer, make_movie(), ago=timedelta(hours=hours))
    value = 4.0 if kind == Kind.RATE else None
    assert (say(viewer, event.movie, kind, value=value).event_id == event.pk) is belongs


def test_an_act_before_an_impression_is_not_its_own(viewer):
    event = show(viewer, make_movie(), ago=timedelta(minutes=1))
    assert say(viewer, event.movie, occurred_at=NOON - timedelta(minutes=2)).event_id is None


def test_a_named_recommendation_decides_among_impressions(viewer):
    movie = make_movie()
    older, _ = show(viewer, movie, ago=timedelta(hours=3)), show(viewer, movie)
    assert say(viewer, movie, recommendation_id=older.slate_id).event_id == older.pk


def test_another_viewers_event_is_not_there(viewer):
    event = show(make_user(), make_movie())
    with pytest.raises(NotFound, match=f"^There is no event {event.pk} of yours$"):
        say(viewer, event.movie, event_id=event.pk)
    assert not Feedback.objects.exists()


def test_another_viewers_recommendation_is_not_there(viewer):
    event = show(make_user(), make_movie())
    with pytest.raises(NotFound, match=f"^There is no recommendation {event.slate_id} of yours$"):
        say(viewer, event.movie, recommendation_id=event.slate_id)


def test_refuses_an_event_that_showed_another_film(viewer):
    event, other = show(viewer, make_movie()), make_movie()
    with pytest.raises(InvalidInput, match=f"^Event {event.pk} showed another film, not {other.pk}$"):
        say(viewer, other, event_id=event.pk)


def test_refuses_a_film_that_is_not_there(viewer):
    with pytest.raises(NotFound, match=r"^There is no film 987654$"):
        give_feedback(FeedbackRequest(viewer, 987654, Kind.CLICK))


def test_refuses_what_lies_ahead_of_the_clock(viewer):
    movie = make_movie()
    say(viewer, movie, occurred_at=NOON + timedelta(minutes=5))
    with pytest.raises(InvalidInput, match=r"^occurred_at lies more than 5 minutes ahead of our clock$"):
        say(viewer, movie, occurred_at=NOON + timedelta(minutes=5, seconds=1))


@pytest.mark.parametrize("value", [None, 0.0, 0.25, 5.5, 3.3])
def test_refuses_a_rating_that_is_no_half_star_and_keeps_nothing(viewer, value):
    with pytest.raises(InvalidInput, match=r"^A rating is 0\.5 to 5 stars in steps of a half\.$"):
        say(viewer, make_movie(), Kind.RATE, value=value)
    assert not Feedback.objects.exists()


def test_refuses_stars_for_anything_but_a_rating(viewer):
    with pytest.raises(InvalidInput, match=r"^Only event_type rate takes a rating, not click$"):
        say(viewer, make_movie(), Kind.CLICK, value=4.0)


def test_silence_is_closed_after_a_week_and_a_late_rating_still_counts(viewer):
    event, fresh = show(viewer, make_movie(), ago=timedelta(days=7, minutes=1)), show(viewer, make_movie())
    assert expire_pending(now=NOON) == 1
    assert (outcome(event), outcome(fresh)) == ("ignored", "pending")
    say(viewer, event.movie, Kind.THUMBS_UP, event_id=event.pk)
    assert outcome(event) == "success"
    say(viewer, event.movie, Kind.THUMBS_CLEAR, event_id=event.pk)
    assert outcome(event) == "success", "both said at noon: of two acts at once the greater word stays"


def test_a_new_guest_owns_what_the_unit_was_shown():
    unit_key = uuid4()
    event = show(None, make_movie())
    Slate.objects.filter(pk=event.slate_id).update(unit_key=unit_key, user=None)
    guest = make_user(unit_key=unit_key, is_guest=True)
    assert adopt_unit(unit_key=unit_key, user_id=guest.pk) == 1
    event.refresh_from_db()
    assert (event.user_id, event.slate.user_id) == (guest.pk, guest.pk)


def test_counts_by_film_and_day_can_be_taken_twice(viewer):
    movie = make_movie()
    show(viewer, movie, ago=timedelta(days=1))
    event = show(viewer, movie)
    show(make_user(), movie)
    say(viewer, movie, event_id=event.pk)
    for _ in range(2):
        roll_up_movie_days(first=NOON.date() - timedelta(days=1), last=NOON.date())
    from apps.events.models import MovieDay

    days = MovieDay.objects.order_by("day").values_list("day", "surface", "shown", "clicked")
    assert list(days) == [
        (NOON.date() - timedelta(days=1), "api", 1, 0),
        (NOON.date(), "api", 2, 1),
    ]
