from dataclasses import replace

import numpy as np
import pytest

from apps.algorithms.arms.popular import Popular
from apps.algorithms.base import Recommender
from apps.algorithms.evaluation import (
    PROTOCOLS,
    ArmLists,
    accuracy,
    compare,
    compare_predictions,
    evaluate,
    film_facts,
    measure,
    ndcg_by_viewer,
    prediction_errors,
    relevant_films,
    report,
)
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.splitting import leave_last_out
from tests.algorithms.factories import make_features, make_interactions, make_random_interactions

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
    assert evaluate(popular(train), train, test, k=4).users.tolist() == [0]
    assert evaluate(popular(train), train, test, k=4, relevant=None).users.tolist() == [0, 1]


def test_never_lists_a_film_seen_or_rated_by_nobody():
    train = make_random_interactions(np.random.default_rng(4), n_items=12)
    parts = leave_last_out(train, share=0.3)
    report = evaluate(popular(parts.train), parts.train, parts.test, k=12, relevant=None)
    # With a place for every film, everything to find is found.
    assert report.recall.value == 1


def test_nothing_to_find_gives_none_everywhere():
    train = train_of()
    report = evaluate(popular(train), train, held_back([]), k=4)
    assert report.n_users == 0
    assert report.ndcg is report.coverage is report.gini is report.novelty is None


def test_one_viewer_has_no_standard_error():
    train = train_of()
    report = evaluate(popular(train), train, held_back([(0, 1, 5.0, 9.0)]), k=4)
    assert report.ndcg.value == 1
    assert report.ndcg.error is None


def test_refuses_parts_of_different_shape_and_a_k_that_no_list_can_have():
    train = train_of()
    other = make_interactions([], n_users=4, n_items=5)
    with pytest.raises(ValueError, match=r"^known and test must be two parts of the same ratings$"):
        evaluate(popular(train), train, other)
    for k in (0, 5):
        with pytest.raises(ValueError, match=rf"^k must be from 1 to the number of films, 4, not {k}$"):
            evaluate(popular(train), train, held_back([]), k=k)


class Fixed(Recommender):
    """Ranks the same films for everybody; ``order`` is best first."""

    name = "fixed"

    def __init__(self, order, n_items):
        self._scores = np.zeros(n_items, dtype=np.float32)
        self._scores[list(order)] = np.arange(len(order), 0, -1)

    def fit(self, interactions, rng):
        return self

    def update(self, delta, rng):
        return self

    def scores(self, histories):
        return np.tile(self._scores, (len(histories), 1))

    def contributions(self, history, items):
        return np.zeros((len(items), len(history)))

    def arrays(self):
        return {}

    @classmethod
    def from_arrays(cls, parameters, arrays):
        raise AssertionError("never saved")

    @property
    def parameters(self):
        return {}


def test_serendipity_counts_hits_unlike_what_the_viewer_liked():
    # Films alternate between two genres; user 0 liked three of the first, so 2 is the usual kind
    # and 1 is not. Others rated both, so that neither is cold.
    rows = [(0, film, 5.0, 1.0) for film in (0, 4, 6)] + [(1, film, 5.0, 1.0) for film in (1, 2, 3)]
    train = make_interactions(rows, n_users=2, n_items=8)
    features = make_features(8, n_genres=2)
    train = replace(train, features=features)
    test = make_interactions([(0, 1, 5.0, 9.0), (0, 2, 5.0, 9.0)], n_users=2, n_items=8)
    report = evaluate(Fixed([1, 2], 8), train, test, k=2)
    assert report.precision.value == 1
    assert report.serendipity.value == pytest.approx(1 / 2)
    assert report.primary_genres.value == 2


def test_the_tail_is_what_the_head_leaves():
    # 16 of 20 ratings go to films 0 and 1.
    rows = [(user, film, 4.0, 1.0) for user in range(8) for film in (0, 1)]
    rows += [(8, film, 4.0, 1.0) for film in (2, 3, 4, 5)]
    train = make_interactions(rows, n_users=9, n_items=6)
    test = make_interactions([(8, 0, 5.0, 9.0)], n_users=9, n_items=6)
    assert film_facts(train).in_tail.tolist() == [False, False, True, True, True, True]
    report = evaluate(Fixed([0, 1], 6), train, test, k=2)
    assert report.tail_share.value == 0


def test_flags_of_the_catalogue_are_shares_of_a_list():
    train, test = train_of(), held_back([(0, 1, 5.0, 9.0)])
    flags = np.array([False, True, False, False])
    train = replace(train, features=replace(train.features, is_long_tail=flags, is_niche=~flags))
    found = evaluate(popular(train), train, test, k=2)
    assert found.long_tail_share.value == found.niche_share.value == 0.5


def test_reports_films_that_their_viewer_had_seen():
    class Careless(ArmLists):
        def lists(self, histories, *, excluded, n):
            return [history.items for history in histories]

    train, test = train_of(), held_back([(0, 2, 5.0, 9.0), (1, 2, 4.0, 9.0)])
    careless = measure(Careless(None), train, test, film_facts(train), k=2, relevant=None)
    assert report([careless]).n_seen == 1 + 2
    assert evaluate(popular(train), train, test, k=2).n_seen == 0


def test_a_viewer_of_several_splits_counts_once():
    data = make_random_interactions(np.random.default_rng(4), n_users=30, n_items=12, density=0.7)
    outcomes = []
    for split in PROTOCOLS["k-fold"].splits(data, np.random.default_rng(1), 0.2):
        facts = film_facts(split.train)
        maker = ArmLists(popular(split.train))
        outcomes.append(measure(maker, split.train, split.test, facts, k=4, relevant=None))
    whole = report(outcomes)
    assert len(outcomes) == 5
    assert whole.n_users == 30 == len(whole.users)
    user = whole.users[3]
    own = [one.values["ndcg"][one.users == user][0] for one in outcomes if user in one.users]
    assert whole.ndcg_by_user[3] == pytest.approx(np.mean(own))
    assert whole.ndcg.error == pytest.approx(whole.ndcg_by_user.std(ddof=1) / np.sqrt(30))


def n_ratings(part):
    return part.ratings.nnz


def n_people(part):
    return np.count_nonzero(part.ratings.getnnz(axis=1))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_holds_back_its_share(name):
    data = make_random_interactions(np.random.default_rng(4), n_users=60, n_items=40)
    protocol = PROTOCOLS[name]
    splits = list(protocol.splits(data, np.random.default_rng(1), protocol.test_share))
    of = n_people if name == "newcomers" else n_ratings
    held = [of(split.test) / of(data) for split in splits]
    assert held == pytest.approx([protocol.test_share] * len(splits), abs=0.03)


def report_of(values):
    """A report whose viewers had these nDCG."""
    users = np.arange(len(values))
    base = evaluate(popular(train_of()), train_of(), held_back([]), k=2)
    return replace(base, n_users=len(values), users=users, ndcg_by_user=np.array(values, dtype=float))


def test_compares_level_and_unlike_lists():
    rng = np.random.default_rng(3)
    values = rng.random(200)
    same = compare(report_of(values), report_of(values), rng)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    better = compare(report_of(values), report_of(values + 0.1), rng)
    assert (better.value, better.low, better.high) == pytest.approx((0.1, 0.1, 0.1))
    assert better.p_value == pytest.approx(2 / 10_001)
    assert compare(report_of([]), report_of([]), rng) is None


def test_the_interval_of_a_difference_is_that_of_its_mean():
    """As the normal approximation has it, within 5 % at 400 viewers and 10,000 resamples."""
    rng = np.random.default_rng(3)
    values = rng.normal(0.02, 0.3, 400)
    found = compare(report_of(np.zeros(400)), report_of(values), rng)
    half = 1.96 * values.std() / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.05 * half
    )


def test_compares_the_same_viewers_alone():
    with pytest.raises(ValueError, match=r"^only reports on the same viewers can be compared$"):
        compare(report_of([0.1]), report_of([0.1, 0.2]), np.random.default_rng(0))


def test_accuracy_clusters_by_person():
    found = accuracy([np.array([1.0, -1.0]), np.array([2.0])])
    assert (found.n, found.n_users) == (3, 2)
    assert found.rmse.value == pytest.approx(np.sqrt(2))
    assert found.mae.value == pytest.approx(4 / 3)
    # Sums less mean times size: 2 - 2 * 4/3 and 2 - 4/3.
    assert found.mae.error == pytest.approx(np.sqrt(2 * 2 * (2 / 3) ** 2) / 3)
    assert found.rmse.error == pytest.approx(np.sqrt(2 * 2 * 2**2) / 3 / (2 * np.sqrt(2)))


def test_accuracy_of_nothing_is_none():
    assert accuracy([]).rmse is accuracy([]).mae is None


def test_predictions_are_held_against_what_was_held_back():
    data = make_random_interactions(np.random.default_rng(4), n_users=40, n_items=12)
    parts = leave_last_out(data, share=0.2)
    predictor = RatingPredictor().fit(parts.train)
    errors = prediction_errors(predictor, parts.train, parts.test)
    assert sum(len(one) for one in errors) == parts.test.ratings.nnz
    user = int(np.flatnonzero(np.diff(parts.test.ratings.indptr))[0])
    films = parts.test.ratings[user].indices
    given = parts.test.ratings[user].data
    stars = predictor.predict(parts.train.history(user), films.astype(np.int64))
    assert errors[0] == pytest.approx(stars - given, abs=1e-6)


def test_compares_predictions_by_their_rmse():
    """Errors of one star against none and two: RMSE 1 before, sqrt(2) after."""
    before = [np.array([1.0, -1.0]), np.array([1.0])] * 50
    after = [np.array([0.0, 2.0]), np.array([-np.sqrt(2)])] * 50
    found = compare_predictions(before, after, np.random.default_rng(1))
    assert found.value == pytest.approx(np.sqrt(2) - 1)
    assert found.low == pytest.approx(found.high) == pytest.approx(found.value)
    assert found.p_value == pytest.approx(2 / 10_001)


def test_predictions_of_other_ratings_are_not_compared():
    with pytest.raises(ValueError, match=r"^only errors of the same ratings can be compared$"):
        compare_predictions([np.ones(2)], [np.ones(3)], np.random.default_rng(1))
    assert compare_predictions([], [], np.random.default_rng(1)) is None


def test_the_ndcg_alone_is_that_of_a_whole_measurement():
    data = make_random_interactions(np.random.default_rng(4), n_users=30)
    parts = leave_last_out(data, share=0.3)
    arm, facts = Popular().fit(parts.train, np.random.default_rng(0)), film_facts(parts.train)
    whole = measure(ArmLists(arm), parts.known, parts.test, facts, k=5, relevant=None)
    wanted = relevant_films(parts.known, parts.test, facts, None)
    alone = ndcg_by_viewer(ArmLists(arm), parts.known, wanted, facts, k=5)
    assert list(wanted) == whole.users.tolist()
    assert alone.tolist() == whole.values["ndcg"].tolist()
