from dataclasses import replace

import numpy as np
import pytest

from apps.algorithms.arms.long_tail import LongTail
from apps.algorithms.base import InvalidParameter
from apps.algorithms.registry import fit_arms
from apps.algorithms.top import top_items
from apps.algorithms.types import History, Parameters
from tests.algorithms.contract import TellsGroupsApart, make_history, make_rng
from tests.algorithms.factories import make_random_interactions

ALONE = {"weight_embeddings": 0.0}


class TestLongTail(TellsGroupsApart):
    arm = "long_tail"
    parameters = {"damping": 0.0}

    def part_parameters(self) -> dict[str, Parameters]:
        return {"item_cf": {"l2": 5.0}}

    def test_knows_nothing_of_an_empty_history(self) -> None:
        interactions = flagged(is_long_tail=[3, 8, 21])
        arm = self.fit(interactions)
        row, disliked = arm.scores([History.empty(), make_history([3, 4], stars=1.0)])
        np.testing.assert_array_equal(row, disliked)
        assert not arm.fold(History.empty()).is_personal
        order = top_items(row, 30).tolist()
        counts = np.bincount(interactions.ratings.indices, minlength=30)
        assert set(order[:3]) == {3, 8, 21}
        for films in (order[:3], order[3:]):
            assert [counts[film] for film in films] == sorted(counts[films], reverse=True)


def flagged(**flags):
    interactions = make_random_interactions(make_rng())
    marked = {
        name: np.isin(np.arange(30), items) if name.startswith("is_") else items
        for name, items in flags.items()
    }
    return replace(interactions, features=replace(interactions.features, **marked))


def fit(interactions, **parameters):
    return fit_arms(["long_tail"], interactions, make_rng(), parameters={"long_tail": ALONE | parameters})


def test_places_the_long_tail_first_in_the_order_of_the_viewers_taste():
    interactions = flagged(is_long_tail=[3, 8, 21])
    arms, history = fit(interactions, damping=0.0), make_history([0, 1])
    best = top_items(arms["long_tail"].scores([history])[0], 3)
    taste = arms["item_cf"].scores([history])[0]
    assert best.tolist() == sorted([3, 8, 21], key=lambda item: -taste[item])


def test_each_lift_is_what_the_formula_says():
    shown = np.zeros(30, dtype=np.int64)
    shown[[5, 6]] = 3, 15
    interactions = flagged(is_long_tail=[2], is_niche=[2, 4], n_shown=shown)
    parameters = {"gem_boost": 7.0, "niche_boost": 2.0, "damping": 0.3, "rotation": 4.0}
    lift = fit(interactions, **parameters)["long_tail"].arrays()["lift"]
    counts = np.bincount(interactions.ratings.indices, minlength=30)
    fresh = np.ones(30)
    fresh[[5, 6]] = 0.5, 0.25
    expected = -0.3 * np.log2(1 + counts) + 4 * fresh
    expected[2] += 7 + 2
    expected[4] += 2
    np.testing.assert_allclose(lift, expected, rtol=1e-6)


def test_a_film_shown_less_comes_before_its_equal():
    shown = np.full(30, 9, dtype=np.int64)
    shown[8] = 0
    arms = fit(flagged(n_shown=shown), gem_boost=0.0, niche_boost=0.0, damping=0.0, rotation=100.0)
    assert top_items(arms["long_tail"].scores([make_history([0, 1])])[0], 1).tolist() == [8]


def test_knows_films_that_nobody_rated_by_their_text():
    interactions = make_random_interactions(make_rng())
    vectors = np.zeros((30, 2), dtype=np.float32)
    vectors[:, 0] = 1.0
    vectors[[0, 29]] = 0.0, 1.0
    ratings = interactions.ratings.copy()
    ratings.data[ratings.indices == 29] = 0.0
    ratings.eliminate_zeros()
    bare = replace(
        interactions,
        ratings=ratings,
        rated_at=np.zeros(ratings.nnz),
        features=replace(interactions.features, vectors=vectors),
    )
    parameters = {"weight_item_cf": 0.01, "weight_embeddings": 1.0, "damping": 0.0}
    row = fit(bare, **parameters)["long_tail"].scores([make_history([0])])[0]
    assert int(row.argmax()) in (0, 29)


def test_refuses_to_do_without_its_first_arm():
    with pytest.raises(InvalidParameter) as refusal:
        LongTail(weight_item_cf=0.0)
    assert str(refusal.value) == "long_tail: weight_item_cf must be a number from 0.01 to 100, not 0.0."
