"""Imports taken back: exactly what was there before, but for what the viewer changed since."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import merge_guest
from apps.catalog.models import Movie
from apps.core.errors import Conflict, NotFound
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.undoing import undo_import
from apps.ratings.models import Import, ImportRow, Rating, WatchlistItem
from apps.ratings.services import set_rating, withdraw_rating
from apps.ratings.tasks import prune_imports
from tests.factories import make_guest, make_movie, make_rating, make_user, preview_file
from tests.ratings.imports import files
from tests.ratings.imports.files import table

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
FILM_TITLES = ("Heat", "Casino", "Seven", "Babe")


@pytest.fixture
def viewer() -> User:
    return make_user()


@pytest.fixture
def films() -> dict[str, Movie]:
    return {title: make_movie(title, year=1995) for title in FILM_TITLES}


def of_all(stars: float) -> bytes:
    rows = (f"2026-04-01,{title},1995,,{stars}" for title in FILM_TITLES)
    return table(files.LETTERBOXD_RATINGS, *rows)


def imported(user: User, data: bytes, rule: str = "file") -> Import:
    made = preview_file(data, user=user)
    return apply_import(user=user, import_id=made.pk, rule=rule)


def state() -> list[Any]:
    """All that is said of films, and what films count of it."""
    rows = list(
        Rating.objects.order_by("user_id", "movie_id").values_list("user", "movie", "value", "changed_at")
    )
    return [rows, list(Movie.objects.order_by("pk").values_list("rating_sum", "rating_count"))]


def test_puts_everything_back(viewer: User, films: dict[str, Movie]) -> None:
    make_rating(viewer, films["Heat"], 2.0, at=MARCH)
    make_rating(viewer, films["Seven"], 5.0, at=MARCH)
    make_rating(viewer, films["Babe"], 5.0, at=MARCH)
    withdraw_rating(user=viewer, movie=films["Babe"], at=MARCH)
    withdraw_rating(user=viewer, movie=films["Babe"], at=timezone.now())
    before = state()
    one = imported(viewer, of_all(5.0))
    assert (one.n_added, one.n_changed) == (1, 2)
    undone = undo_import(user=viewer, import_id=one.pk)
    assert state() == before
    assert (undone.status, undone.n_restored, undone.n_left) == (Import.Status.UNDONE, 3, 0)


def test_leaves_alone_what_the_viewer_changed_since(viewer: User, films: dict[str, Movie]) -> None:
    one = imported(viewer, of_all(4.0))
    set_rating(user=viewer, movie=films["Heat"], value=1.0, at=timezone.now())
    set_rating(user=viewer, movie=films["Seven"], value=4.0, at=timezone.now())
    withdraw_rating(user=viewer, movie=films["Babe"], at=timezone.now())
    undone = undo_import(user=viewer, import_id=one.pk)
    assert (undone.n_restored, undone.n_left) == (1, 3)
    left = dict(Rating.objects.values_list("movie__title", "value"))
    assert left == {"Heat": 1.0, "Seven": 4.0, "Babe": None}
    assert Movie.objects.get(title="Casino").rating_count == 0


def test_two_imports_are_undone_one_after_the_other(viewer: User, films: dict[str, Movie]) -> None:
    before = state()
    first = imported(viewer, of_all(4.0))
    between = state()
    second = imported(viewer, of_all(2.0))
    assert undo_import(user=viewer, import_id=second.pk).n_restored == 4
    assert state() == between
    assert undo_import(user=viewer, import_id=first.pk).n_restored == 4
    assert state() == before


def test_the_same_file_twice_is_undone_by_undoing_the_first(viewer: User, films: dict[str, Movie]) -> None:
    before = state()
    first = imported(viewer, of_all(4.0))
    second = imported(viewer, of_all(4.0))
    assert second.n_unchanged == 4
    assert undo_import(user=viewer, import_id=second.pk).n_restored == 0
    undo_import(user=viewer, import_id=first.pk)
    assert state() == before


def test_undoing_once_more_does_nothing_more(viewer: User, films: dict[str, Movie]) -> None:
    one = imported(viewer, of_all(4.0))
    first = undo_import(user=viewer, import_id=one.pk)
    make_rating(viewer, films["Heat"], 4.0, at=datetime(2026, 4, 1, tzinfo=UTC))
    assert undo_import(user=viewer, import_id=one.pk).undone_at == first.undone_at
    assert Rating.objects.count() == 1


def test_refuses_what_cannot_be_undone(viewer: User, films: dict[str, Movie]) -> None:
    waiting = preview_file(of_all(4.0), user=viewer)
    with pytest.raises(Conflict, match="This import was not applied: there is nothing to undo"):
        undo_import(user=viewer, import_id=waiting.pk)
    apply_import(user=viewer, import_id=waiting.pk, rule="file")
    with pytest.raises(NotFound, match=f"There is no import {waiting.pk} of yours"):
        undo_import(user=make_user(), import_id=waiting.pk)
    undo_import(user=viewer, import_id=waiting.pk)
    with pytest.raises(Conflict, match="This import was undone: send the file again to import it"):
        apply_import(user=viewer, import_id=waiting.pk, rule="file")


def test_a_watchlist_that_was_imported_is_gone_again(viewer: User, films: dict[str, Movie]) -> None:
    data = table(files.LETTERBOXD_WATCHLIST, "2024-01-02,Heat,1995,")
    made = preview_file(data, "watchlist.csv", user=viewer)
    apply_import(user=viewer, import_id=made.pk, rule="newer")
    undo_import(user=viewer, import_id=made.pk)
    assert not WatchlistItem.objects.exists()


# --- How long ------------------------------------------------------------------------------------


def test_rows_go_after_their_days_and_with_them_the_way_back(
    viewer: User, films: dict[str, Movie], settings: Any
) -> None:
    settings.IMPORT_DAYS = 30
    one = imported(viewer, of_all(4.0))
    waiting = preview_file(of_all(3.0), user=viewer)
    young = preview_file(of_all(3.0))
    day = timedelta(days=1)
    Import.objects.filter(pk__in=[one.pk, waiting.pk]).update(created_at=timezone.now() - 31 * day)
    Import.objects.filter(pk=young.pk).update(created_at=timezone.now() - 29 * day)
    assert prune_imports() > 0
    assert set(Import.objects.values_list("pk", flat=True)) == {one.pk, young.pk}
    assert set(ImportRow.objects.values_list("parent", flat=True)) == {young.pk}
    assert Import.objects.get(pk=one.pk).n_added == 4
    with pytest.raises(Conflict, match="This import is too old to undo: its rows are no longer kept"):
        undo_import(user=viewer, import_id=one.pk)
    assert prune_imports() == 0


def test_the_last_twenty_imports_of_a_viewer_keep_their_rows(
    viewer: User, films: dict[str, Movie], settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"import": "100/h"}
    theirs = imported(make_user(), of_all(4.0))
    mine = [imported(viewer, of_all(4.0)) for _ in range(21)]
    kept = set(ImportRow.objects.values_list("parent", flat=True))
    assert kept == {theirs.pk, *(one.pk for one in mine[1:])}


# --- Guests --------------------------------------------------------------------------------------


def test_a_guests_import_is_undone_by_the_account_that_they_logged_in_to(films: dict[str, Movie]) -> None:
    guest, account = make_guest(), make_user()
    make_rating(account, films["Heat"], 4.0, at=datetime(2026, 4, 1, tzinfo=UTC))
    before = state()
    one = imported(guest, of_all(4.0))
    merge_guest(guest=guest, into=account)
    assert undo_import(user=account, import_id=one.pk).n_restored == 3
    assert state() == before
