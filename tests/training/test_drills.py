"""A recipe that shuffles what it learns from is measured on what people really said, and found out."""

import numpy as np
import pytest

from apps.algorithms.evaluation import film_facts, relevant_films
from apps.core.errors import InvalidInput
from apps.training.services.evaluating import evaluate_arms, make_plan, part_ratings
from apps.training.services.tuning import Budget, tune_arms
from tests.algorithms.contract import make_checkerboard
from tests.algorithms.factories import make_random_interactions, with_sources

SHUFFLED = {"data": {"shuffled": True}}


@pytest.mark.parametrize("arm", ["svd", "item_cf", "graph"])
def test_what_learned_from_shuffled_ratings_finds_less(arm: str) -> None:
    plans = {
        name: make_plan(arms=[arm], protocol="within-viewer", k=5, parameters=parameters)
        for name, parameters in (("real", {}), ("shuffled", SHUFFLED))
    }
    found = {name: evaluate_arms(plan, make_checkerboard()) for name, plan in plans.items()}
    real, shuffled = (found[name].reports[arm].ndcg for name in ("real", "shuffled"))
    assert real is not None
    assert shuffled is not None
    assert shuffled.value < 0.9 * real.value
    assert found["real"].n_ratings == found["shuffled"].n_ratings


def test_a_drill_is_measured_on_the_same_ratings() -> None:
    data = make_checkerboard()
    (real,), (drill,) = (
        part_ratings(make_plan(parameters=parameters), data, np.random.default_rng(1))
        for parameters in ({}, SHUFFLED)
    )
    for name in ("train", "test", "known"):
        assert (getattr(real, name).ratings != getattr(drill, name).ratings).nnz == 0
    assert (real.learned.ratings != drill.learned.ratings).nnz > 0


def test_what_else_a_recipe_learns_from_changes_nothing_of_what_is_relevant() -> None:
    data = with_sources(make_random_interactions(np.random.default_rng(1)), np.random.default_rng(2))
    (more,), (alone,) = (
        part_ratings(make_plan(protocol="temporal"), one, np.random.default_rng(1))
        for one in (data, data.explicit)
    )
    wanted = [
        relevant_films(split.known, split.test, film_facts(split.train), 4.0) for split in (more, alone)
    ]
    assert wanted[0] == wanted[1]
    assert wanted[0]
    assert more.learned.ratings.nnz > alone.learned.ratings.nnz


def test_there_is_nothing_to_tune_a_drill_for() -> None:
    with pytest.raises(InvalidInput) as refused:
        tune_arms(make_plan(arms=["svd"], parameters=SHUFFLED), make_checkerboard(), budget=Budget(1))
    text = "This recipe shuffles what it learns from: there is nothing to tune it for."
    assert refused.value.detail == text
