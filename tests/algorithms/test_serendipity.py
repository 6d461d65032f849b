from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.arms.serendipity import Serendipity
from apps.algorithms.base import InvalidParameter
from apps.algorithms.evaluation.facts import film_facts, unexpected_films
from apps.algorithms.registry import fit_arms
from apps.algorithms.top import top_items
from apps.algorithms.types import Parameters
from tests.algorithms.contract import ArmContract, make_history, make_rng
from tests.algorithms.factories import make_random_interactions

PLAIN = {"weight_svd": 0.01, "damping": 0.0, "rotation": 0.0, "distance": 0.0}


class TestSerendipity(ArmContract):
    arm = "serendipity"
    update_likeness = 0.95

    def part_parameters(self) -> dict[str, Parameters]:
        return {"item_cf": {"l2": 5.0}, "svd": {"factors": 4}}


def with_keywords(rows):
    """The random ratings; film ``i`` has the keywords ``rows[i]``, an array ``(30, n)``."""
    interactions = make_random_interactions(make_rng())
    names = tuple(f"keyword:{number}" for number in range(rows.shape[1]))
    features = replace(
        interactions.features,
        genres=sparse.csr_matrix((30, 3), dtype=np.float32),
        terms=sparse.csr_matrix(rows.astype(np.float32)),
        term_names=names,
    )
    return replace(interactions, features=features)


def fit(interactions, **parameters):
    given = {"serendipity": PLAIN | parameters, "item_cf": {"l2": 5.0}}
    return fit_arms(["serendipity"], interactions, make_rng(), parameters=given)


def test_films_unlike_the_liked_ones_come_first_best_predicted_first():
    # Films 0 to 9 share keyword 0, all others have another; the viewer likes three of the first.
    rows = np.zeros((30, 2))
    rows[:10, 0] = rows[10:, 1] = 1
    arms, history = fit(with_keywords(rows)), make_history([0, 1, 2])
    best = top_items(arms["serendipity"].scores([history])[0], 20)
    taste = arms["item_cf"].scores([history])[0]
    assert best.tolist() == sorted(range(10, 30), key=lambda item: (-taste[item], item))


def test_what_it_places_first_is_unexpected_by_the_measure():
    rows = make_rng(7).random((30, 6)) < 0.4
    interactions = with_keywords(rows)
    arm, facts = fit(interactions)["serendipity"], film_facts(interactions)
    for user in range(interactions.n_users):
        history = interactions.history(user)
        liked = history.items[history.values >= 4]
        row = arm.scores([history])[0]
        row[history.items] = -np.inf
        order = top_items(row, 30).tolist()
        unexpected = unexpected_films(facts, liked, order)
        assert set(order[: len(unexpected)]) == unexpected
        own = arm.unexpected(history, np.array(order))
        assert set(np.array(order)[own].tolist()) == unexpected, "the arm says it of the same films"


def test_a_single_liked_film_leaves_the_order_alone():
    arms = fit(with_keywords(np.eye(30)))
    history = make_history([4])
    row, taste = (arms[name].scores([history])[0] for name in ("serendipity", "item_cf"))
    # The other arm has a hundredth of the weight: it decides between films that are almost level.
    np.testing.assert_array_equal(top_items(row, 10), top_items(taste, 10))


def test_only_the_best_candidates_are_looked_at():
    rows = np.zeros((30, 2))
    rows[:10, 0] = rows[10:, 1] = 1
    arms, history = fit(with_keywords(rows), candidates=10), make_history([0, 1, 2])
    taste = arms["item_cf"].scores([history])[0].copy()
    taste[[0, 1, 2]] = -np.inf
    looked_at = top_items(taste, 10)
    far = [item for item in looked_at.tolist() if item >= 10]
    assert top_items(arms["serendipity"].scores([history])[0], len(far)).tolist() == far


def test_popular_films_and_films_shown_often_are_held_back():
    interactions = with_keywords(np.eye(30))
    shown = np.arange(30) * 3
    interactions = replace(interactions, features=replace(interactions.features, n_shown=shown))
    lift = fit(interactions, damping=0.5, rotation=2.0)["serendipity"].arrays()["lift"]
    counts = np.bincount(interactions.ratings.indices, minlength=30)
    expected = 2 / np.sqrt(1 + shown) - 0.5 * np.log2(1 + counts)
    np.testing.assert_allclose(lift, expected, rtol=1e-5, atol=1e-6)


def test_a_film_near_what_the_viewer_liked_gives_way_to_one_further_off():
    # Films 0 to 9 have keyword 0, the others another each; film 10 shares keyword 1 with liked film 1.
    rows = np.zeros((30, 21))
    rows[:10, 0] = rows[1, 1] = rows[10, 1] = 1
    rows[np.arange(11, 30), np.arange(2, 21)] = 1
    interactions, history = with_keywords(rows), make_history([0, 1, 2])
    places = {}
    for distance in (0.0, 100.0):
        row = fit(interactions, distance=distance)["serendipity"].scores([history])[0]
        places[distance] = top_items(row, 20).tolist().index(10)
    assert places[0.0] < places[100.0] == 19


def test_refuses_to_do_without_the_arm_that_knows_who_watched_what():
    with pytest.raises(InvalidParameter) as refusal:
        Serendipity(weight_svd=0.0)
    assert str(refusal.value) == "serendipity: weight_svd must be a number from 0.01 to 100, not 0.0."
