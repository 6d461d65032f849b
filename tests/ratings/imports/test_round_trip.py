"""Whatever a viewer has said: their export imports unchanged, and an undone import was never there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.accounts.privacy import export_user
from apps.catalog.models import Movie
from apps.ratings.imports.applying import apply_import
from apps.ratings.imports.preferences import STORES
from apps.ratings.imports.undoing import undo_import
from apps.ratings.models import Import
from apps.ratings.services import record_preference
from tests.factories import make_movie, make_user, preview_file
from tests.ratings.imports import files

pytestmark = pytest.mark.django_db

N_FILMS = 6
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
HALVES = st.integers(1, 10).map(lambda half: half / 2)
MOMENTS = st.integers(0, 200_000_000_000_000).map(lambda micros: EPOCH + timedelta(microseconds=micros))
KINDS = (
    "rate unrate unseen favorite unfavorite watchlist unwatchlist dismiss undismiss "
    "thumbs_up thumbs_down thumbs_clear"
).split()
ACTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, N_FILMS - 1), HALVES, MOMENTS), min_size=1, max_size=25
)
TITLES = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=20
    ).filter(lambda title: title.strip() == title),
    min_size=N_FILMS,
    max_size=N_FILMS,
)
EXAMPLES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def nothing_left() -> Iterator[None]:
    """Each example begins with an empty database and its share of the throttles."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)
        cache.clear()


def say_all(user: User, films: Sequence[Movie], acts: Sequence[tuple[str, int, float, datetime]]) -> None:
    for kind, film, stars, at in acts:
        value = stars if kind == "rate" else None
        record_preference(user_id=user.pk, movie_id=films[film].pk, kind=kind, value=value, at=at)


def said(user: User) -> dict[str, Any]:
    """Every row of every kind, tombstones too."""
    return {
        kind: set(
            store.model._default_manager.filter(user=user).values_list("movie", store.column, "changed_at")
        )
        for kind, store in STORES.items()
    }


def counted() -> list[Any]:
    return list(Movie.objects.order_by("pk").values_list("rating_sum", "rating_count"))


@EXAMPLES
@given(titles=TITLES, acts=ACTS)
def test_an_export_imports_again_unchanged(
    titles: list[str], acts: list[tuple[str, int, float, datetime]]
) -> None:
    with nothing_left():
        ada, bob = make_user(), make_user()
        films = [make_movie(title, year=1990 + number) for number, title in enumerate(titles)]
        say_all(ada, films, acts)
        made = preview_file(export_user(ada), "marquee-export.zip", user=bob)
        assert made.n_unmatched == made.n_conflicts == made.n_repeated == 0
        apply_import(user=bob, import_id=made.pk, rule="newer")
        assert said(bob) == said(ada)
        again = preview_file(export_user(bob), "marquee-export.zip", user=ada)
        assert (again.n_new, again.n_conflicts, again.n_unmatched) == (0, 0, 0)
        assert again.n_unchanged == sum(map(len, said(ada).values()))


ROWS = st.lists(st.tuples(st.integers(0, N_FILMS), HALVES, st.integers(0, 2_000)), min_size=1, max_size=20)


@EXAMPLES
@given(acts=ACTS, rows=ROWS, rule=st.sampled_from(Import.Rule.values))
def test_an_import_that_is_undone_was_never_there(
    acts: list[tuple[str, int, float, datetime]], rows: list[tuple[int, float, int]], rule: str
) -> None:
    with nothing_left():
        ada = make_user()
        films = [make_movie(f"Film {number}", year=1990) for number in range(N_FILMS)]
        say_all(ada, films, acts)
        before = said(ada), counted()
        lines = (
            f"{EPOCH + timedelta(days=day):%Y-%m-%d},Film {film},1990,,{stars}" for film, stars, day in rows
        )
        made = preview_file(files.table(files.LETTERBOXD_RATINGS, *lines), user=ada)
        done = apply_import(user=ada, import_id=made.pk, rule=rule)
        assert done.n_added + done.n_changed + done.n_kept == made.n_new + made.n_conflicts
        stars_of = {movie: value or 0.0 for movie, value, _ in said(ada)["rating"]}
        sums = {film.pk: stars_of.get(film.pk, 0.0) for film in films}
        assert dict(Movie.objects.values_list("pk", "rating_sum")) == sums
        undone = undo_import(user=ada, import_id=made.pk)
        assert (said(ada), counted()) == before
        assert (undone.n_restored, undone.n_left) == (done.n_added + done.n_changed, 0)
