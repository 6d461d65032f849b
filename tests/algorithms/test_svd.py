import numpy as np

from apps.algorithms.arms.svd import Svd, right_singular_vectors
from apps.algorithms.weights import signal_matrix
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_random_interactions


class TestSvd(ReadsHistory, AddsUp):
    arm = "svd"
    parameters = {"factors": 2}
    update_likeness = 0.999


def test_scores_are_the_projection_on_the_leading_vectors():
    interactions = make_random_interactions(make_rng(), n_users=12, n_items=15)
    arm = Svd(signal="stars", factors=3, half_life=None).fit(interactions, make_rng())
    vectors = np.linalg.svd(interactions.ratings.toarray() / 5)[2][:3]
    row = np.zeros(15)
    row[[2, 7]] = 1.0
    np.testing.assert_allclose(arm.scores([make_history([2, 7])])[0], row @ vectors.T @ vectors, atol=1e-5)


def test_iterative_and_dense_decompositions_agree():
    matrix = signal_matrix(make_random_interactions(make_rng(), n_users=40, n_items=50).ratings, "all")
    iterative = right_singular_vectors(matrix, 4, make_rng())
    dense = np.linalg.svd(matrix.toarray())[2][:4]
    np.testing.assert_allclose(iterative.T @ iterative, dense.T @ dense, atol=1e-5)


def test_keeps_no_vector_of_a_vanishing_singular_value():
    interactions = make_random_interactions(make_rng(), n_users=3, n_items=30)
    assert Svd(factors=50, signal="all").fit(interactions, make_rng()).arrays()["factors"].shape == (30, 3)
