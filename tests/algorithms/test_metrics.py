import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms import metrics


def test_ndcg_of_hits_at_places_one_and_three_is_known():
    # DCG = 1 + 1/2; the best list of three relevant films has 1 + 1/log2(3) + 1/2.
    expected = 1.5 / (1.5 + 1 / np.log2(3))
    assert metrics.ndcg_at_k([1, 9, 2, 8], {1, 2, 3}, 4) == pytest.approx(expected)


def test_ideal_dcg_holds_no_more_hits_than_k():
    assert metrics.ndcg_at_k([1, 2], {1, 2, 3, 4}, 2) == 1.0


def test_ndcg_is_zero_without_a_hit_and_for_an_empty_list():
    assert metrics.ndcg_at_k([7, 8], {1}, 10) == 0.0
    assert metrics.ndcg_at_k([], {1}, 10) == 0.0


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (metrics.precision_at_k, 2 / 5),
        (metrics.recall_at_k, 2 / 3),
        (metrics.average_precision_at_k, (1 / 2 + 2 / 4) / 3),
        (metrics.reciprocal_rank, 1 / 2),
        (metrics.hit_rate_at_k, 1.0),
    ],
)
def test_hits_at_places_two_and_four_of_five_give_the_known_answer(measure, expected):
    assert measure([9, 1, 8, 2, 7, 3], {1, 2, 3}, 5) == pytest.approx(expected)


RANKING = [
    metrics.precision_at_k,
    metrics.recall_at_k,
    metrics.ndcg_at_k,
    metrics.average_precision_at_k,
    metrics.reciprocal_rank,
    metrics.hit_rate_at_k,
]


@pytest.mark.parametrize("measure", RANKING)
def test_nothing_relevant_gives_none(measure):
    assert measure([1, 2], set(), 2) is None


@pytest.mark.parametrize("measure", RANKING)
def test_refuses_k_below_one(measure):
    with pytest.raises(ValueError, match=r"^k must be at least 1, not 0$"):
        measure([1, 2], {1}, 0)


@pytest.mark.parametrize("measure", RANKING)
@given(
    recommended=st.lists(st.integers(0, 20), max_size=12),
    relevant=st.sets(st.integers(0, 20), min_size=1),
    k=st.integers(1, 15),
)
def test_ranking_measures_stay_within_zero_and_one(measure, recommended, relevant, k):
    assert 0 <= measure(recommended, relevant, k) <= 1 + 1e-12


def test_reciprocal_rank_looks_at_the_whole_list_without_k():
    assert metrics.reciprocal_rank([9, 8, 1], {1}) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank([9, 8, 1], {1}, 2) == 0.0


def test_arrays_are_accepted_as_lists():
    assert metrics.recall_at_k(np.array([3, 1]), {1, 2}, 2) == 0.5


def test_a_repeated_film_counts_once():
    assert metrics.recall_at_k([1, 1, 1], {1, 2}, 3) == 0.5


def test_rmse_and_mae_of_errors_of_one_and_two_stars_are_known():
    assert metrics.rmse([4.0, 2.0], [3.0, 4.0]) == pytest.approx(2.5**0.5)
    assert metrics.mae([4.0, 2.0], [3.0, 4.0]) == pytest.approx(1.5)


def test_rmse_and_mae_of_nothing_are_none():
    assert metrics.rmse([], []) is None
    assert metrics.mae([], []) is None


def test_rmse_refuses_lists_of_different_lengths_and_nan():
    with pytest.raises(
        ValueError, match=r"^predicted and actual ratings must be two lists of the same length$"
    ):
        metrics.rmse([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^predicted and actual ratings must be finite$"):
        metrics.mae([float("nan")], [1.0])


def test_coverage_counts_each_film_once():
    assert metrics.coverage([[0, 1], [1, 2], []], n_items=10) == pytest.approx(0.3)
    assert metrics.coverage([], n_items=10) is None


def test_coverage_refuses_a_film_outside_the_catalogue():
    with pytest.raises(ValueError, match=r"^a list holds a film outside the catalogue of 3$"):
        metrics.coverage([[3]], n_items=3)


def test_gini_is_zero_when_equal_and_known_for_one_film_of_four():
    assert metrics.gini([5, 5, 5]) == pytest.approx(0)
    assert metrics.gini([0, 0, 0, 8]) == pytest.approx(3 / 4)
    assert metrics.gini([1, 3]) == pytest.approx(1 / 4)


def test_gini_of_nothing_shown_is_none():
    assert metrics.gini([0, 0]) is None
    assert metrics.gini([]) is None


def test_intra_list_diversity_of_right_angles_and_twins_is_known():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert metrics.intra_list_diversity([0, 2], vectors) == pytest.approx(1)
    assert metrics.intra_list_diversity([0, 1], vectors) == pytest.approx(0)
    assert metrics.intra_list_diversity([0, 1, 2], vectors) == pytest.approx(2 / 3)
    assert metrics.intra_list_diversity([0], vectors) is None


def test_personalization_is_zero_for_twins_one_for_strangers_and_half_for_half():
    assert metrics.personalization([[1, 2], [2, 1]]) == pytest.approx(0)
    assert metrics.personalization([[1, 2], [3, 4]]) == pytest.approx(1)
    assert metrics.personalization([[1, 2], [2, 3]]) == pytest.approx(0.5)
    assert metrics.personalization([[1, 2], []]) is None


def test_personalization_is_the_mean_over_all_pairs_of_lists():
    rng = np.random.default_rng(3)
    lists = [rng.choice(30, size=size, replace=False) for size in (5, 5, 8, 3)]
    pairs = [(a, b) for i, a in enumerate(lists) for b in lists[i + 1 :]]
    shared = [len(np.intersect1d(a, b)) / (len(a) * len(b)) ** 0.5 for a, b in pairs]
    assert metrics.personalization(lists) == pytest.approx(1 - np.mean(shared))


def test_novelty_is_bits_and_counts_unrated_films_as_rated_once():
    # Half of eight viewers: 1 bit. One of eight, or nobody: 3 bits.
    assert metrics.novelty([0, 1], [4, 1, 0], n_users=8) == pytest.approx(2)
    assert metrics.novelty([2], [4, 1, 0], n_users=8) == pytest.approx(3)
    assert metrics.novelty([], [4, 1, 0], n_users=8) is None


def test_popularity_rank_shares_places_among_equals():
    counts = [10, 7, 7, 1]
    assert metrics.popularity_rank([0], counts) == 1
    assert metrics.popularity_rank([1], counts) == 2.5
    assert metrics.popularity_rank([0, 3], counts) == 2.5
    assert metrics.popularity_rank([], counts) is None


def test_long_tail_share_and_serendipity_of_four_films_are_known():
    is_long_tail = np.array([True, False, True, False, False])
    assert metrics.long_tail_share([0, 1, 2, 3], is_long_tail) == 0.5
    assert metrics.serendipity([0, 1, 2, 3], relevant={0, 1, 2}, expected={1}) == 0.5
    assert metrics.long_tail_share([], is_long_tail) is None
    assert metrics.serendipity([], {1}, {2}) is None
