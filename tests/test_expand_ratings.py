"""The ratings that ``benchmarks/expand_ratings.py`` makes up: what a measure of time and memory relies on."""

import numpy as np
import pytest
from django.db import connection
from django.db.models import Sum
from scipy import sparse

from apps.accounts.models import User
from apps.algorithms.types import Interactions
from apps.catalog.models import Movie, MovieGenre
from apps.ratings.models import Rating
from apps.training.datasets import build_interactions
from benchmarks.expand_ratings import describe, expand_interactions, shape_of
from benchmarks.expanded_site import fill_site
from tests.algorithms.factories import make_interactions
from tests.training.conftest import make_public

N_PEOPLE, N_FILMS, N_WANTED = 60, 90, 80_000


def source() -> Interactions:
    """Few films have most of the ratings."""
    rng = np.random.default_rng(3)
    chances = np.outer(rng.uniform(0.2, 1.0, N_PEOPLE), 1.2 / np.sqrt(np.arange(1, N_FILMS + 1)))
    stars = np.where(rng.random(chances.shape) < chances, rng.integers(1, 11, chances.shape) / 2, 0)
    rows = [(int(one), int(film), float(stars[one, film]), 0.0) for one, film in np.argwhere(stars)]
    return make_interactions(rows, n_users=N_PEOPLE, n_items=N_FILMS)


def test_makes_about_as_many_as_asked_of_more_people_and_more_films() -> None:
    before, after = source(), expand_interactions(source(), N_WANTED, seed=1)
    assert after.ratings.nnz == pytest.approx(N_WANTED, rel=0.03)
    assert after.n_items == 2 * N_FILMS
    assert after.n_users > 20 * N_PEOPLE
    assert after.features.genres.shape[0] == len(after.features.n_shown) == after.n_items
    assert np.diff(after.ratings.indptr).min() >= 1
    assert len(after.rated_at) == after.ratings.nnz
    assert after.rated_at.min() >= before.rated_at.min()


def test_nobody_rates_a_film_twice() -> None:
    ratings = expand_interactions(source(), N_WANTED, seed=1).ratings
    people = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
    assert np.all(np.diff(people * ratings.shape[1] + ratings.indices) > 0)


def test_stars_keep_their_shares() -> None:
    shares = [
        np.bincount((one.ratings.data * 2).astype(int), minlength=11) / one.ratings.nnz
        for one in (source(), expand_interactions(source(), N_WANTED, seed=1))
    ]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.01)


def test_films_are_more_unequal_than_before() -> None:
    shares = []
    for one in (source(), expand_interactions(source(), N_WANTED, seed=1)):
        counts = np.sort(np.bincount(one.ratings.indices, minlength=one.n_items))[::-1]
        shares.append(counts[: len(counts) // 10].sum() / counts.sum())
    assert shares[1] > shares[0]


def test_a_seed_gives_the_same_ratings_and_another_seed_others() -> None:
    first, again, other = (expand_interactions(source(), N_WANTED, seed=seed) for seed in (1, 1, 2))
    assert (first.ratings != again.ratings).nnz == 0
    np.testing.assert_array_equal(first.rated_at, again.rated_at)
    assert first.ratings.shape != other.ratings.shape or (first.ratings != other.ratings).nnz > 0


def test_refuses_to_make_no_more_than_there_are() -> None:
    ratings = sparse.csr_matrix(np.ones((40, 80), dtype=np.float32))
    with pytest.raises(ValueError, match=r"^3,200 ratings are no expansion of 3,200: ask for more\.$"):
        shape_of(ratings, 3_200)


def test_describes_how_many_and_how_unequal() -> None:
    lines = list(describe(source()))
    assert lines[0] == f"{source().ratings.nnz:,} ratings by {N_PEOPLE} people of {N_FILMS} films"
    assert lines[3].startswith("films: the first tenth falls as rank^-0.")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is written by COPY")
@pytest.mark.django_db(transaction=True)
def test_fills_a_site_in_place_of_what_was_there() -> None:
    make_public()
    User.objects.update(is_imported=True)
    n_films = Movie.objects.count()
    said = fill_site(20_000, seed=1)
    interactions = build_interactions()
    assert said.startswith(f"{Rating.objects.count():,} ratings by {User.objects.count():,} people of")
    assert interactions.ratings.nnz == Rating.objects.count() == pytest.approx(20_000, rel=0.05)
    assert Movie.objects.count() > n_films
    assert MovieGenre.objects.count() == Movie.objects.count()
    totals = Movie.objects.aggregate(count=Sum("rating_count"), stars=Sum("rating_sum"))
    assert totals == {"count": Rating.objects.count(), "stars": interactions.ratings.data.sum()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'ratings'")
        assert "ratings_updated" in {name for (name,) in cursor.fetchall()}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is written by COPY")
@pytest.mark.django_db
def test_leaves_a_site_alone_where_somebody_has_an_account() -> None:
    make_public()
    User.objects.update(is_imported=False)
    with pytest.raises(ValueError, match="Somebody has an account on this site: an expansion takes an empty"):
        fill_site(20_000, seed=1)
