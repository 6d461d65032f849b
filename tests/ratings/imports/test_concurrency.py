"""An import applied twice at once, while its viewer rates the same films."""

import pytest

from apps.catalog.models import Movie
from apps.ratings.models import Import, Rating
from tests.factories import make_movie, make_user, preview_file
from tests.processes import run_at_once
from tests.ratings.imports import files

N_FILMS, N_RATED = 40, 20

ACT = """
from datetime import UTC, datetime
from apps.accounts.models import User
from apps.ratings.imports.applying import apply_import
from apps.ratings.services import record_preference
for user_id, import_id, movie_id in order:
    if import_id:
        apply_import(user=User.objects.get(pk=user_id), import_id=import_id, rule="newer")
    else:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        record_preference(user_id=user_id, movie_id=movie_id, kind="rate", value=5.0, at=at)
"""


@pytest.mark.django_db(transaction=True)
def test_counts_every_film_once_and_keeps_what_was_said_last() -> None:
    user = make_user()
    films = [make_movie(f"Film {number}", year=1995) for number in range(N_FILMS)]
    rows = (f"2026-01-01,{film.title},1995,,2" for film in films)
    made = preview_file(files.table(files.LETTERBOXD_RATINGS, *rows), user=user)
    rated = [(user.pk, 0, film.pk) for film in films[:N_RATED]]
    run_at_once(ACT, [[(user.pk, made.pk, 0)], rated, [(user.pk, made.pk, 0)], rated[::-1]])
    values = dict(Rating.objects.values_list("movie", "value"))
    assert values == {film.pk: 5.0 if film in films[:N_RATED] else 2.0 for film in films}
    assert set(Movie.objects.values_list("rating_sum", "rating_count")) == {(5.0, 1), (2.0, 1)}
    done = Import.objects.get()
    assert done.n_added + done.n_kept == N_FILMS
