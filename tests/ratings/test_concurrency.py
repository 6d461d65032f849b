"""Processes that rate at once: nothing is lost, nothing is counted twice."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection

from apps.catalog.models import Movie
from apps.ratings.models import Rating
from tests.factories import make_movie, make_user

PROCESSES = 4
ROUNDS = 12

RATE = """
import json, random, sys
from datetime import UTC, datetime, timedelta
import django
django.setup()
from apps.ratings.services import record_preference
order = json.loads(sys.argv[1])
for user_id, movie_id, minute, value in order:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    record_preference(
        user_id=user_id, movie_id=movie_id, kind="rate" if value else "unrate", value=value, at=at
    )
"""


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**values)


def run_at_once(orders: list[list[tuple[int, int, int, float | None]]]) -> list[str]:
    """One process per order of acts; what each wrote to stderr."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "recommender_site.settings.test",
        "DATABASE_URL": database_url(),
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RATE, json.dumps(order)],
            env=environment,
            cwd=settings.BASE_DIR,
            stderr=subprocess.PIPE,
            text=True,
        )
        for order in orders
    ]
    return [process.communicate(timeout=60)[1] for process in running]


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
    assert (
        run_at_once([acts[start:] + acts[:start] for start in range(0, 8 * PROCESSES, 8)]) == [""] * PROCESSES
    )
    last = ((ROUNDS - 1) % 10 + 1) / 2
    at = datetime(2026, 3, 1, 0, ROUNDS - 1, tzinfo=UTC)
    assert set(Rating.objects.values_list("value", "changed_at")) == {(last, at)}
    assert set(Movie.objects.values_list("rating_sum", "rating_count")) == {(2 * last, 2)}
