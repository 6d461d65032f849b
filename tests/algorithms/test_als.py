import implicit.als
import implicit.utils
import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from apps.algorithms.arms.als import Als
from apps.algorithms.types import History
from apps.algorithms.weights import signal_matrix
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_random_interactions

SMALL = {"factors": 6, "regularization": 0.5, "alpha": 4.0}
"""The defaults are for catalogues: on a few dozen films they would shrink every factor to nothing."""


class TestAls(ReadsHistory, AddsUp):
    arm = "als"
    parameters = SMALL
    update_likeness = 0.5


def test_folds_a_viewer_in_as_implicit_does():
    interactions = make_random_interactions(make_rng(), n_users=25, n_items=30)
    arm = Als(**SMALL, signal="stars", half_life=None).fit(interactions, make_rng())
    model = AlternatingLeastSquares(factors=6, regularization=0.5, alpha=4.0, num_threads=1)
    # implicit reads rows, whatever the layout says.
    model.item_factors = np.ascontiguousarray(arm.arrays()["factors"])
    matrix = signal_matrix(interactions.ratings, "stars")
    theirs = model.recalculate_user(3, matrix[3]) @ model.item_factors.T
    np.testing.assert_allclose(arm.scores([interactions.history(3)])[0], theirs, atol=1e-4)


def test_solves_the_equation_of_the_paper():
    arm = Als(**SMALL, half_life=None).fit(make_random_interactions(make_rng()), make_rng())
    factors = arm.arrays()["factors"].astype(np.float64)
    confidence = np.ones(30)
    confidence[[4, 9]] = 4.0
    preference = (confidence > 1).astype(float)
    system = factors.T @ np.diag(confidence) @ factors + 0.5 * np.eye(6)
    expected = factors @ np.linalg.solve(system, factors.T @ (confidence * preference))
    np.testing.assert_allclose(arm.scores([make_history([4, 9])])[0], expected, atol=1e-4)


def test_a_refit_with_more_people_and_films_knows_them():
    """implicit's own fit() on a fitted object keeps the old shapes, or gives NaN."""
    before = make_random_interactions(make_rng(1), n_users=20, n_items=25)
    after = make_random_interactions(make_rng(2), n_users=30, n_items=26)
    arm = Als(**SMALL, signal="all").fit(before, make_rng()).fit(after, make_rng())
    assert arm.arrays()["factors"].shape == (26, 6)
    assert np.abs(arm.arrays()["factors"][25]).max() > 0
    assert np.isfinite(arm.scores([make_history([25])])).all()


def test_films_are_the_columns():
    """implicit takes a transposed matrix without a word."""
    interactions = make_random_interactions(make_rng(), n_users=9, n_items=40)
    assert Als(**SMALL).fit(interactions, make_rng()).arrays()["factors"].shape == (40, 6)


def test_an_empty_history_gets_no_films():
    """implicit answers films 2, 1, 0 at score 0."""
    arm = Als(**SMALL).fit(make_random_interactions(make_rng()), make_rng())
    assert not arm.scores([History.empty()]).any()


def test_a_viewer_who_has_seen_everything_gets_plain_scores():
    """implicit answers seen films at -3.4e38."""
    arm = Als(**SMALL).fit(make_random_interactions(make_rng()), make_rng())
    assert np.abs(arm.scores([make_history(list(range(30)))])).max() < 10


def test_asked_for_some_films_it_leaves_their_order():
    """implicit sorts the list that it is given."""
    arm = Als(**SMALL).fit(make_random_interactions(make_rng()), make_rng())
    items = np.array([9, 1, 5])
    arm.contributions(make_history([2]), items)
    assert items.tolist() == [9, 1, 5]


def test_takes_the_implementation_that_needs_no_gpu(monkeypatch):
    """Left to itself implicit takes the one for a GPU wherever it finds CUDA."""

    def choose(**options):
        raise AssertionError("the choice was left to implicit")

    monkeypatch.setattr(implicit.als, "AlternatingLeastSquares", choose)
    arm = Als(**SMALL).fit(make_random_interactions(make_rng()), make_rng())
    assert arm.scores([make_history([2])]).any()


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::UserWarning")
def test_fits_without_a_warning_of_fighting_threads(monkeypatch):
    """implicit warns once a process when BLAS would take threads of its own."""
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)
    with threadpool_limits(2, "blas"):
        Als(**SMALL).fit(make_random_interactions(make_rng()), make_rng())
    assert implicit.utils._checked_blas_config
