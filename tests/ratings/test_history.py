from datetime import UTC, datetime, timedelta

import pytest

from apps.ratings.history import preferences_from
from apps.ratings.querysets import history_rows
from apps.ratings.services import record_preference
from tests.factories import make_movie, make_user

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_ratings_come_oldest_first_and_each_film_once() -> None:
    rows = [
        ("rating", 2, 3.0, NOON + timedelta(minutes=2)),
        ("favorite", 2, None, NOON + timedelta(minutes=9)),
        ("rating", 1, 5.0, NOON + timedelta(minutes=1)),
    ]
    preferences = preferences_from(rows)
    assert [(movie_id, stars) for movie_id, stars, _ in preferences.rated] == [(1, 5.0), (2, 3.0)]
    assert preferences.n_ratings == 2


@pytest.mark.parametrize(
    ("kind", "value", "stars"), [("favorite", None, 4.5), ("thumb", 1.0, 4.0), ("thumb", -1.0, 1.5)]
)
def test_without_a_rating_other_acts_imply_stars(kind: str, value: float | None, stars: float) -> None:
    preferences = preferences_from([(kind, 7, value, NOON)])
    assert preferences.rated == ((7, stars, NOON),)
    assert (preferences.excluded, preferences.n_ratings) == ({7}, 0)


def test_a_thumb_says_more_than_a_favourite() -> None:
    rows = [("favorite", 7, None, NOON), ("thumb", 7, -1.0, NOON)]
    assert preferences_from(rows).rated == preferences_from(reversed(rows)).rated == ((7, 1.5, NOON),)


def test_a_dismissed_film_is_excluded_and_one_to_watch_is_not() -> None:
    preferences = preferences_from([("dismissal", 7, None, NOON), ("watchlist", 8, None, NOON)])
    assert (preferences.rated, preferences.excluded, preferences.dismissed) == ((), {7}, {7})


def test_rows_of_other_kinds_say_nothing() -> None:
    assert preferences_from([("slate", 0, None, NOON)]) == preferences_from([])


@pytest.mark.django_db
def test_history_is_one_query_over_all_that_stands(django_assert_num_queries) -> None:
    user, film = make_user(), make_movie()
    for kind in ("rate", "favorite", "watchlist", "dismiss", "thumbs_down"):
        value = 2.5 if kind == "rate" else None
        record_preference(user_id=user.pk, movie_id=film.pk, kind=kind, value=value, at=NOON)
    with django_assert_num_queries(1):
        rows = sorted(history_rows(user.pk), key=lambda row: row[0])
    assert rows == [
        ("dismissal", film.pk, None, NOON),
        ("favorite", film.pk, None, NOON),
        ("rating", film.pk, 2.5, NOON),
        ("thumb", film.pk, -1.0, NOON),
        ("watchlist", film.pk, None, NOON),
    ]


@pytest.mark.django_db
def test_what_was_taken_back_is_not_in_the_history() -> None:
    user, film = make_user(), make_movie()
    for minute, kinds in enumerate((("favorite", "dismiss", "thumbs_up"), ("unfavorite", "undismiss"))):
        for kind in (*kinds, *(["thumbs_clear", "unrate"] if minute else [])):
            at = NOON + timedelta(minutes=minute)
            record_preference(user_id=user.pk, movie_id=film.pk, kind=kind, value=None, at=at)
    assert list(history_rows(user.pk)) == []
