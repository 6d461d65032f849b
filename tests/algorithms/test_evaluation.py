import numpy as np
import pytest

from apps.algorithms.arms.popular import Popular
from apps.algorithms.evaluation import evaluate
from apps.algorithms.splitting import leave_last_out
from tests.algorithms.factories import make_interactions, make_random_interactions

# Film 0 has three viewers, 1 two, 2 one, 3 none; user 3 has said nothing.
TRAIN = [
    (0, 0, 4.0, 1.0),
    (1, 0, 4.0, 1.0),
    (2, 0, 4.0, 1.0),
    (1, 1, 4.0, 2.0),
    (2, 1, 4.0, 2.0),
    (2, 2, 4.0, 3.0),
]


def train_of(rows=TRAIN):
    return make_interactions(rows, n_users=4, n_items=4)


def held_back(rows):
    return make_interactions(rows, n_users=4, n_items=4)


def popular(train):
    return Popular().fit(train, np.random.default_rng(0))


def test_popularity_on_four_films_gives_the_known_answer():
    # User 0 is shown 1, 2 and finds 2 at place 2; user 1 is shown 2 and finds it.
    train, test = train_of(), held_back([(0, 2, 5.0, 9.0), (1, 2, 4.0, 9.0)])
    report = evaluate(popular(train), train, test, k=2)
    second = 1 / np.log2(3)
    assert report.users.tolist() == [0, 1]
    assert report.ndcg.value == pytest.approx((second + 1) / 2)
    assert report.ndcg.error == pytest.approx((1 - second) / 2)
    assert report.precision.value == pytest.approx(0.5)
    assert report.recall.value == report.hit_rate.value == 1
    assert report.reciprocal_rank.value == pytest.approx(0.75)
    assert report.coverage == pytest.approx(2 / 4)


def test_drops_cold_films_disliked_films_and_viewers_without_history():
    train = train_of()
    test = held_back([(0, 3, 5.0, 9.0), (1, 2, 3.5, 9.0), (3, 0, 5.0, 9.0), (0, 1, 4.0, 9.0)])
    assert evaluate(popular(train), train, test).users.tolist() == [0]
    assert evaluate(popular(train), train, test, relevant=None).users.tolist() == [0, 1]


def test_never_lists_a_film_seen_or_rated_by_nobody():
    train = make_random_interactions(np.random.default_rng(4), n_items=12)
    parts = leave_last_out(train, share=0.3)
    report = evaluate(popular(parts.train), parts.train, parts.test, k=12, relevant=None)
    # With a place for every film, everything to find is found.
    assert report.recall.value == 1


def test_nothing_to_find_gives_none_everywhere():
    train = train_of()
    report = evaluate(popular(train), train, held_back([]))
    assert report.n_users == 0
    assert report.ndcg is report.coverage is report.gini is report.novelty is None


def test_one_viewer_has_no_standard_error():
    train = train_of()
    report = evaluate(popular(train), train, held_back([(0, 1, 5.0, 9.0)]))
    assert report.ndcg.value == 1
    assert report.ndcg.error is None


def test_refuses_parts_of_different_shape_and_k_below_one():
    train = train_of()
    other = make_interactions([], n_users=4, n_items=5)
    with pytest.raises(ValueError, match=r"^train and test must be two parts of the same ratings$"):
        evaluate(popular(train), train, other)
    with pytest.raises(ValueError, match=r"^k must be at least 1, not 0$"):
        evaluate(popular(train), train, held_back([]), k=0)
