import numpy as np
import pytest

from apps.algorithms.arms.hybrid import Hybrid
from apps.algorithms.arms.popular import Popular
from apps.algorithms.base import InvalidParameter, NotFittedError
from apps.algorithms.registry import fit_arms
from apps.algorithms.top import top_items
from apps.algorithms.types import History, Parameters
from tests.algorithms.contract import AddsUp, TellsGroupsApart, make_history, make_rng
from tests.algorithms.factories import make_random_interactions

SMALL_ALS = {"factors": 6, "regularization": 0.5, "alpha": 4.0}
PARTS = ("sequence", "svd", "content", "item_cf", "als", "embeddings", "graph", "genre")


def only(**weights: float) -> dict[str, float]:
    """Hybrid's parameters with these weights and no other."""
    return {f"weight_{name}": weights.get(name, 0.0) for name in PARTS}


class TestHybrid(TellsGroupsApart, AddsUp):
    arm = "hybrid"
    update_likeness = 0.95
    parameters = only(svd=0.5, als=0.5, item_cf=1.0)

    def part_parameters(self) -> dict[str, Parameters]:
        return {"als": SMALL_ALS, "svd": {"factors": 2}, "item_cf": {"l2": 5.0}}

    def test_knows_nothing_of_an_empty_history(self):
        bundle = self.fit_bundle(make_random_interactions(make_rng()))
        nobody = [History.empty()]
        np.testing.assert_array_equal(bundle["hybrid"].scores(nobody), bundle["popular"].scores(nobody))

    def test_every_part_adds_its_standardised_scores(self):
        interactions = make_random_interactions(make_rng())
        bundle, histories = self.fit_bundle(interactions), [interactions.history(1)]
        expected = 0.0
        for name, weight in (("svd", 0.5), ("als", 0.5), ("item_cf", 1.0)):
            row = bundle[name].scores(histories)[0].astype(np.float64)
            expected += weight * (row - row.mean()) / row.std()
        row = bundle["hybrid"].scores(histories)[0]
        np.testing.assert_allclose(row - row.mean(), expected, atol=1e-4)


def test_a_part_that_was_folded_before_is_not_folded_again(monkeypatch):
    interactions = make_random_interactions(make_rng())
    bundle = fit_arms(["hybrid"], interactions, make_rng(), parameters={"hybrid": only(svd=1.0)})
    history, folds = interactions.history(0), {}
    part = bundle["svd"].fold_among(history, folds)
    monkeypatch.setattr(type(bundle["svd"]), "fold", None)
    blended = bundle["hybrid"].fold_among(history, folds)
    assert bundle["hybrid"].fold_among(history, folds) is blended
    assert folds == {bundle["svd"]: part, bundle["hybrid"]: blended}
    assert top_items(blended.scores, 5).tolist() == top_items(part.scores, 5).tolist()


def test_serves_popularity_in_a_batch_only_to_those_nobody_knows():
    interactions = make_random_interactions(make_rng())
    bundle = fit_arms(["hybrid"], interactions, make_rng(), parameters={"hybrid": only(svd=1.0)})
    rows = bundle["hybrid"].scores([interactions.history(0), History.empty(), make_history([3], stars=1.0)])
    popular = bundle["popular"].scores([History.empty()])[0]
    np.testing.assert_array_equal(rows[1], popular)
    np.testing.assert_array_equal(rows[2], popular)
    assert not np.array_equal(rows[0], popular)


def test_a_part_of_weight_nothing_is_not_needed():
    assert Hybrid(**only(svd=1.0, genre=0.5)).needs == ("svd", "genre", "popular")


def test_shares_the_arms_of_its_bundle():
    interactions = make_random_interactions(make_rng())
    bundle = fit_arms(["svd", "hybrid"], interactions, make_rng(), parameters={"hybrid": only(svd=1.0)})
    assert list(bundle) == ["popular", "svd", "hybrid"]
    before = bundle["hybrid"].scores([interactions.history(0)])
    bundle["svd"].fit(make_random_interactions(make_rng(9)), make_rng())
    assert not np.array_equal(bundle["hybrid"].scores([interactions.history(0)]), before)


def test_stores_no_array_of_its_own():
    assert fit_arms(["hybrid"], make_random_interactions(make_rng()), make_rng())["hybrid"].arrays() == {}


def test_refuses_parts_that_are_missing():
    with pytest.raises(InvalidParameter) as refusal:
        Hybrid(**only(svd=1.0, als=1.0)).link({"popular": Popular()})
    assert str(refusal.value) == "hybrid needs svd, als beside it."


def test_refuses_to_blend_nothing():
    with pytest.raises(InvalidParameter) as refusal:
        Hybrid(**only())
    assert str(refusal.value) == "hybrid: at least one weight must be above 0."


def test_refuses_to_score_unlinked():
    with pytest.raises(NotFittedError) as refusal:
        Hybrid.from_arrays({}, {}).scores([History.empty()])
    assert (
        str(refusal.value) == "hybrid has not been fitted: call fit or from_arrays first, and link its parts."
    )
