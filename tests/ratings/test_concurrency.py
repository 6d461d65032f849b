"""Processes that rate at once: nothing is lost, nothing is counted twice."""

from datetime import UTC, datetime

import pytest

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.factories import make_movie, make_user
from tests.processes import run_at_once

PROCESSES = 4
ROUNDS = 12

RATE = """
from datetime import UTC, datetime, timedelta
from apps.ratings.services import record_preference
for user_id, movie_id, minute, value in order:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    record_preference(
        user_id=user_id, movie_id=movie_id, kind="rate" if value else "unrate", value=value, at=at
    )
"""


@pytest.mark.django_db(transaction=True)
def test_processes_that_rate_the_same_films_at_once_count_exactly() -> None:
    movies = [make_movie() for _ in range(3)]
    users = [make_user() for _ in range(2)]
    # Every process gives the same acts in another order: half of them are late or repeated.
    acts = [
        (user.pk, movie.pk, minute, None if minute % 5 == 4 else (minute % 10 + 1) / 2)
        for minute in range(ROUNDS)
        for user in users
        for movie in movies
    ]
    run_at_once(RATE, [acts[start:] + acts[:start] for start in range(0, 8 * PROCESSES, 8)])
    last = ((ROUNDS - 1) % 10 + 1) / 2
    at = datetime(2026, 3, 1, 0, ROUNDS - 1, tzinfo=UTC)
    assert set(Rating.objects.values_list("value", "changed_at")) == {(last, at)}
    assert set(Movie.objects.values_list("rating_sum", "rating_count")) == {(2 * last, 2)}
