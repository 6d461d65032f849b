import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.drills import shuffle_films
from tests.algorithms.factories import make_random_interactions


@given(seed=st.integers(0, 2**32 - 1))
def test_who_rated_how_often_and_with_what_stays(seed: int) -> None:
    whole = make_random_interactions(np.random.default_rng(4))
    shuffled = shuffle_films(whole, np.random.default_rng(seed))
    np.testing.assert_array_equal(shuffled.ratings.indptr, whole.ratings.indptr)
    assert shuffled.ratings.has_canonical_format
    for row in range(whole.n_users):
        spots = slice(whole.ratings.indptr[row], whole.ratings.indptr[row + 1])
        assert sorted(zip(shuffled.ratings.data[spots], shuffled.rated_at[spots], strict=True)) == sorted(
            zip(whole.ratings.data[spots], whole.rated_at[spots], strict=True)
        )


def test_the_same_seed_shuffles_alike_and_another_one_otherwise() -> None:
    whole = make_random_interactions(np.random.default_rng(4))
    first, again, other = (shuffle_films(whole, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.ratings != again.ratings).nnz == 0
    assert (first.ratings != other.ratings).nnz > 0
    assert (first.ratings != whole.ratings).nnz > 0
