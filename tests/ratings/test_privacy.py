import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.accounts.privacy import erase_user, export_user
from apps.accounts.services import merge_guest
from apps.catalog.models import Movie
from apps.ratings.models import Favorite, Rating
from apps.ratings.querysets import history_rows
from apps.ratings.services import record_preference, withdraw_rating
from tests.factories import make_guest, make_movie, make_rating, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def counted(movie: Movie) -> tuple[float, int]:
    return Movie.objects.values_list("rating_sum", "rating_count").get(pk=movie.pk)


def say(user: User, movie: Movie, kind: str) -> None:
    record_preference(user_id=user.pk, movie_id=movie.pk, kind=kind, value=None, at=NOON)


def test_the_export_holds_what_stands_and_what_was_taken_back() -> None:
    user, heat = make_user(), make_movie("Heat", year=1995)
    make_rating(user, heat, 4.5, at=NOON)
    withdrawn = make_rating(user, make_movie("Ran"), 3.0, at=NOON)
    withdraw_rating(user=user, movie=withdrawn.movie, at=NOON + timedelta(hours=1))
    say(user, heat, "watchlist")
    with zipfile.ZipFile(io.BytesIO(export_user(user))) as files:
        ratings = list(csv.DictReader(io.StringIO(files.read("ratings.csv").decode())))
        watchlist = list(csv.DictReader(io.StringIO(files.read("watchlist.csv").decode())))
    assert [(row["title"], row["value"]) for row in ratings] == [("Heat", "4.5"), ("Ran", "")]
    assert [row["title"] for row in watchlist] == ["Heat"]


def test_erasing_takes_the_ratings_out_of_the_films() -> None:
    user, movie = make_user(), make_movie()
    make_rating(user, movie, 2.0)
    make_rating(make_user(), movie, 5.0)
    say(user, movie, "favorite")
    erase_user(user)
    assert counted(movie) == (5.0, 1)
    assert not Favorite.objects.exists()


def test_a_merged_guests_preferences_are_the_accounts() -> None:
    guest, account, movie = make_guest(), make_user(), make_movie()
    make_rating(guest, movie, 4.0, at=NOON)
    say(guest, movie, "favorite")
    merge_guest(guest=guest, into=account)
    assert {row[0] for row in history_rows(account.pk)} == {"rating", "favorite"}
    assert counted(movie) == (4.0, 1)
    assert not Rating.objects.of(guest.pk).exists()


def test_the_accounts_own_rating_wins_and_the_guests_is_no_longer_counted() -> None:
    guest, account, movie = make_guest(), make_user(), make_movie()
    make_rating(guest, movie, 1.0, at=NOON + timedelta(days=1))
    make_rating(account, movie, 4.0, at=NOON)
    merge_guest(guest=guest, into=account)
    assert Rating.objects.get().value == 4.0
    assert counted(movie) == (4.0, 1)


def test_what_the_account_took_back_stays_taken_back() -> None:
    guest, account, movie = make_guest(), make_user(), make_movie()
    make_rating(account, movie, 4.0, at=NOON)
    withdraw_rating(user=account, movie=movie, at=NOON + timedelta(hours=1))
    make_rating(guest, movie, 5.0, at=NOON)
    merge_guest(guest=guest, into=account)
    assert list(history_rows(account.pk)) == []
    assert counted(movie) == (0.0, 0)
