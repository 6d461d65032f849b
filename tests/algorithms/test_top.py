import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.top import top_items

# Few distinct values, so that ties are common.
SCORES = st.lists(st.sampled_from([-2.0, 0.0, 1.0, 1.5, np.inf, -np.inf, np.nan]), max_size=40)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1000, 3000), n=st.integers(1, 600))
def test_equals_a_full_sort_of_a_whole_catalogue(seed, size, n):
    scores = np.random.default_rng(seed).normal(size=size).round(1).astype(np.float32)
    scores[::7] = -np.inf
    expected = sorted(np.flatnonzero(np.isfinite(scores)).tolist(), key=lambda item: (-scores[item], item))
    assert top_items(scores, n).tolist() == expected[:n]


@given(seed=st.integers(0, 2**32 - 1), n_scored=st.integers(0, 700), n=st.integers(1, 300))
def test_equals_a_full_sort_where_most_films_score_nothing(seed, n_scored, n):
    rng = np.random.default_rng(seed)
    scores = np.zeros(3000, dtype=np.float32)
    scores[rng.choice(3000, n_scored, replace=False)] = rng.integers(-1, 4, n_scored)
    expected = np.lexsort((np.arange(3000), -scores))
    assert top_items(scores, n).tolist() == expected[:n].tolist()


@given(scores=SCORES, n=st.integers(0, 50))
def test_equals_a_full_sort_by_score_and_index(scores, n):
    finite = [item for item, score in enumerate(scores) if np.isfinite(score)]
    expected = sorted(finite, key=lambda item: (-scores[item], item))[:n]
    assert top_items(np.array(scores, dtype=np.float32), n).tolist() == expected
