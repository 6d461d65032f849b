"""Ratings of viewers, day by day, beside those that a version was trained on."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.monitoring.models import DriftDay
from apps.monitoring.services import latest_drift, record_drift, record_drifts
from apps.ratings.models import Rating
from tests.factories import make_movie
from tests.monitoring.drifting import (
    DAY,
    NOON,
    TASTE,
    TRAINED,
    TURNED,
    by_subject,
    make_people,
    make_version,
    rate,
)
from tests.rows import make_drift

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(db: None) -> list[Movie]:
    return [make_movie(year=1994, genres=["Comedy"]), make_movie(year=2021, genres=["Western"])]


def drift(day: date = DAY) -> dict[str, DriftDay]:
    return by_subject(record_drift(recipe="standard", day=day))


def test_the_same_taste_as_in_training_is_no_drift(films: list[Movie]) -> None:
    make_version()
    for _ in range(2):
        rate(films[0], TASTE)
    found = drift()["ratings"]
    assert found.psi == pytest.approx(0, abs=1e-12)
    assert (found.status, found.has_drifted, found.n_training, found.n_now) == ("ok", False, 100_000, 200)
    assert found.bins[7] == {"bin": "4.0", "training": 0.29, "now": 0.29}


def test_another_taste_is(films: list[Movie]) -> None:
    make_version()
    for _ in range(2):
        rate(films[0], TURNED)
    found = drift()["ratings"]
    assert found.has_drifted
    assert found.psi > 1
    assert [one["now"] for one in found.bins] == [share / 100 for share in reversed(TASTE.values())]


def test_of_few_ratings_nothing_is_told(films: list[Movie]) -> None:
    make_version()
    rate(films[0], TURNED)
    found = drift()["ratings"]
    assert (found.status, found.has_drifted) == ("too_few", False)
    assert found.psi is not None
    assert found.psi > 1


def test_films_are_told_by_genre_decade_long_tail_and_niche(films: list[Movie]) -> None:
    """Westerns of 2021, which training did not see, are among its other films."""
    make_version()
    Movie.objects.filter(pk=films[1].pk).update(is_long_tail=True)
    for film in films:
        rate(film, TASTE)
    rows = drift()
    shares = {name: {one["bin"]: one["now"] for one in row.bins} for name, row in rows.items()}
    assert shares["rated_genres"] == {"Comedy": 0.5, "Drama": 0.0, "other": 0.5}
    assert shares["rated_decades"] == {"1990": 0.5, "other": 0.5}
    assert shares["rated_long_tail"] == {"yes": 0.5, "other": 0.5}
    assert shares["rated_niche"] == {"yes": 0.0, "other": 1.0}


def test_who_rates_much_counts_as_less(films: list[Movie]) -> None:
    make_version()
    people = make_people(10)
    many = [make_movie() for _ in range(20)]
    Rating.objects.bulk_create(
        Rating(user=user, movie=film, value=4.0, changed_at=NOON) for user in people for film in many
    )
    found = drift()["ratings"]
    assert (found.n_now, found.status) == (200, "too_few")
    # 1 + 19 * .2 of ratings that hang together as those of one person do.
    assert found.on_nothing == pytest.approx(9 * (4.8 / 200 + 1 / 100_000))


def test_only_what_viewers_gave_in_those_seven_days_counts(films: list[Movie]) -> None:
    make_version()
    rate(films[0], TASTE, at=NOON - timedelta(days=6))
    rate(films[0], TASTE, at=NOON - timedelta(days=7))
    rate(films[0], TASTE, at=NOON + timedelta(days=1))
    rate(films[0], TASTE, is_imported=True)
    Rating.objects.filter(changed_at__date=NOON - timedelta(days=6), value=5.0).update(value=None)
    assert drift()["ratings"].n_now == 85


def test_is_held_against_the_version_that_was_there_before_those_days(films: list[Movie]) -> None:
    make_version(read_at=TRAINED - timedelta(days=1))
    before = make_version()
    make_version(read_at=TRAINED + timedelta(days=3))
    make_version(activated_at=None, read_at=TRAINED + timedelta(hours=1))
    assert {row.version for row in drift().values()} == {before.name}


def test_a_young_recipe_is_held_against_its_first_version_and_by_what_came_after(
    films: list[Movie],
) -> None:
    first = make_version(read_at=NOON - timedelta(days=2))
    make_version(read_at=NOON - timedelta(days=1))
    rate(films[0], TASTE, at=NOON - timedelta(days=3))
    rate(films[0], TASTE, at=NOON - timedelta(hours=1))
    found = drift()["ratings"]
    assert (found.version, found.n_now) == (first.name, 100)


def test_without_a_version_there_is_nothing_to_tell(films: list[Movie]) -> None:
    rate(films[0], TASTE)
    make_version(read_at=NOON + timedelta(days=1))
    assert record_drift(recipe="standard", day=DAY) == []
    assert not DriftDay.objects.exists()


@pytest.mark.parametrize("metrics", [{}, {"baseline": {"format": 0}}])
def test_a_version_without_a_baseline_says_so(films: list[Movie], metrics: dict[str, object]) -> None:
    make_version(metrics=metrics)
    rate(films[0], TASTE)
    found = drift()["ratings"]
    assert (found.status, found.psi, found.has_drifted, found.n_now) == ("no_baseline", None, False, 100)
    assert found.bins[7] == {"bin": "4.0", "training": None, "now": 0.29}


def test_days_without_a_rating_say_so(films: list[Movie]) -> None:
    make_version()
    found = drift()["ratings"]
    assert (found.status, found.psi, found.n_now) == ("insufficient_data", None, 0)


def test_a_day_is_worked_out_anew_and_kept_once(films: list[Movie]) -> None:
    make_version()
    drift()
    rate(films[0], TASTE)
    make_drift(day=DAY, version="another", subject="ratings")
    make_drift(day=DAY, recipe="wide")
    drift()
    rows = DriftDay.objects.of("standard")
    assert rows.filter(subject="ratings").get().n_now == 100
    assert len(rows) == len({row.subject for row in rows})
    assert DriftDay.objects.of("wide").count() == 1


def test_the_last_day_of_a_recipe_is_read_back(films: list[Movie]) -> None:
    make_version()
    for ago in (2, 0, 1):
        drift(DAY - timedelta(days=ago))
    make_drift(recipe="wide", day=DAY + timedelta(days=1))
    found = latest_drift("standard")
    assert {row.day for row in found} == {DAY}
    assert [row.subject for row in found] == sorted(row.subject for row in found)
    assert latest_drift("nobody's") == []


def test_every_recipe_that_serves_is_worked_out(films: list[Movie]) -> None:
    make_version()
    assert record_drifts(day=DAY) == DriftDay.objects.filter(recipe="standard").count() > 0


def test_reads_no_more_often_for_more_ratings(films: list[Movie]) -> None:
    make_version()
    asked = []
    for _ in range(2):
        rate(films[0], TASTE)
        rate(films[1], TURNED)
        with CaptureQueriesContext(connection) as queries:
            drift()
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 10
    assert User.objects.count() >= 400
