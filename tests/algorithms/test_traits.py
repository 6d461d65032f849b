from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.arms.rotation import freshness
from apps.algorithms.registry import fit_arms
from apps.algorithms.traits import ROTATION_WEIGHT, exposure_of, film_traits, film_vectors, series_of
from tests.algorithms.contract import make_rng
from tests.algorithms.factories import make_features, make_interactions, make_random_interactions

FEW = {"sequence": {"min_ratings": 1, "l2": 5.0}}


def test_exposure_is_the_share_of_people_who_would_see_a_film():
    interactions = make_random_interactions(make_rng(), n_users=12, n_items=40)
    arm = fit_arms(["popular"], interactions, make_rng())["popular"]
    exposure = exposure_of(arm, interactions, make_rng())
    order = np.argsort(-arm.scores([interactions.history(0)])[0], kind="stable")
    expected = np.zeros(40)
    for user in range(12):
        seen = interactions.history(user).items
        expected[[item for item in order if item not in seen][:20]] += 1 / 12
    np.testing.assert_allclose(exposure, expected, rtol=1e-6)


def test_nobody_is_exposed_to_anything_without_people_or_scores():
    nobody = make_interactions([], n_users=0, n_items=5)
    strangers = make_interactions([], n_users=3, n_items=5)
    for interactions in (nobody, strangers):
        arm = fit_arms(["svd"], interactions, make_rng())["svd"]
        assert not exposure_of(arm, interactions, make_rng()).any()


def test_the_lift_is_what_the_formula_says():
    interactions = make_random_interactions(make_rng())
    flags, shown = np.arange(30) % 5 == 0, np.arange(30)
    features = replace(interactions.features, is_niche=flags, n_shown=shown)
    interactions = replace(interactions, features=features)
    traits = film_traits(
        fit_arms(["hybrid"], interactions, make_rng(), parameters=FEW), interactions, make_rng()
    )
    assert traits.exposure.any()
    counts = np.bincount(interactions.ratings.indices, minlength=30)
    expected = 0.75 * flags - 0.5 * np.log2(1 + counts) - 0.5 * np.log2(1 + 1000 * traits.exposure)
    expected += 3 * freshness(shown)
    np.testing.assert_allclose(traits.lift, expected, rtol=1e-5)


def test_rotation_is_bounded_by_its_weight_and_nothing_where_nothing_was_shown():
    interactions = make_random_interactions(make_rng())
    never = film_traits({}, interactions, make_rng())
    shown = replace(interactions, features=replace(interactions.features, n_shown=np.arange(30) ** 3))
    raised = film_traits({}, shown, make_rng()).lift - never.lift
    assert not never.fresh.any()
    assert raised[[0, 2, -1]].tolist() == pytest.approx([ROTATION_WEIGHT, ROTATION_WEIGHT / 3, 0], abs=0.05)
    assert (np.diff(raised) < 0).all()


def test_vectors_have_length_one_or_nothing():
    interactions = make_random_interactions(make_rng())
    bare = sparse.csr_matrix(interactions.features.genres.toarray() * (np.arange(30) > 0)[:, None])
    features = replace(interactions.features, genres=bare)
    arms = fit_arms(["svd"], interactions, make_rng())
    np.testing.assert_allclose(np.linalg.norm(film_vectors(arms, features), axis=1), 1, rtol=1e-5)
    lengths = np.linalg.norm(film_vectors({}, features), axis=1)
    assert lengths[0] == 0
    np.testing.assert_allclose(lengths[1:], 1, rtol=1e-5)


def test_a_film_of_several_series_counts_to_the_first():
    rows = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0]], dtype=np.float32)
    names = ("keyword:space", "series:Alien", "series:Predator")
    features = replace(make_features(4), terms=sparse.csr_matrix(rows), term_names=names)
    assert series_of(features).tolist() == [-1, 2, 1, -1]
    assert series_of(make_features(2)).tolist() == [-1, -1]


def test_every_film_has_the_first_series_among_its_terms():
    terms = sparse.random(200, 60, density=0.05, format="csr", dtype=np.float32, random_state=4)
    terms.data[::7] = 0  # stored, and no term of the film
    names = tuple(f"{'series' if spot % 3 else 'keyword'}:{spot}" for spot in range(60))
    expected = [
        next((spot for spot in np.flatnonzero(row) if names[spot].startswith("series:")), -1)
        for row in terms.toarray()
    ]
    found = series_of(replace(make_features(200), terms=terms, term_names=names))
    assert found.dtype == np.int32
    assert found.tolist() == expected
    assert -1 in expected
