from dataclasses import replace

import numpy as np
import pytest

from apps.algorithms.arms.embeddings import Embeddings
from apps.algorithms.base import Recommender
from apps.algorithms.popularity import popularity
from apps.algorithms.types import Interactions
from tests.algorithms.contract import (
    DEGENERATE,
    AddsUp,
    ReadsHistory,
    make_degenerate,
    make_history,
    make_rng,
)
from tests.algorithms.factories import make_interactions, make_random_interactions


def with_vectors(interactions: Interactions) -> Interactions:
    """The same with random unit vectors, unless it has its own; of the last film nothing is told."""
    if interactions.features.vectors.shape[1]:
        return interactions
    rows = make_rng(7).standard_normal((interactions.n_items, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[-1:] = 0
    return replace(interactions, features=replace(interactions.features, vectors=rows))


class TestEmbeddings(ReadsHistory):
    arm = "embeddings"

    def fit_bundle(self, interactions: Interactions, seed: int = 5) -> dict[str, Recommender]:
        return super().fit_bundle(self.dressed(interactions), seed)

    def dressed(self, interactions: Interactions) -> Interactions:
        return with_vectors(interactions)


class TestEmbeddingsAlone(AddsUp):
    arm = "embeddings"
    parameters = {"popularity_weight": 0.0}

    def fit_bundle(self, interactions: Interactions, seed: int = 5) -> dict[str, Recommender]:
        return super().fit_bundle(self.dressed(interactions), seed)

    def dressed(self, interactions: Interactions) -> Interactions:
        return with_vectors(interactions)


@pytest.fixture
def told() -> Interactions:
    """Four films around the middle of a plane: 2 lies near 0, 1 and 3 across; of 4 nothing is told."""
    vectors = np.array([[1, 0], [-1, 0], [0.6, 0.8], [-0.6, -0.8], [0, 0]], dtype=np.float32)
    plain = make_interactions([(0, 2, 5.0, 1.0)], n_users=1, n_items=5)
    return replace(plain, features=replace(plain.features, vectors=vectors))


def test_scores_are_the_cosine_with_the_profile(told):
    arm = Embeddings(popularity_weight=0.0).fit(told, make_rng())
    assert arm.scores([make_history([0])])[0] == pytest.approx([1, -1, 0.6, -0.6, 0])


def test_the_newest_film_weighs_most(told):
    arm = Embeddings(popularity_weight=0.0).fit(told, make_rng())
    profile = (0.1 + 0.9 * 0.5 ** (1 / 6)) * np.array([1, 0]) + np.array([0.6, 0.8])
    expected = told.features.vectors @ profile / np.linalg.norm(profile)
    assert arm.scores([make_history([0, 2])])[0] == pytest.approx(expected)


def test_what_all_films_have_in_common_likens_nothing(told):
    vectors = told.features.vectors
    far = (vectors + np.array([50, -30], dtype=np.float32)) * vectors.any(axis=1)[:, None]
    moved = replace(told, features=replace(told.features, vectors=far))
    here, there = (Embeddings().fit(data, make_rng()).scores([make_history([0])]) for data in (told, moved))
    assert there == pytest.approx(here, abs=1e-5)


def test_films_that_are_all_told_the_same_of_are_told_nothing_of(told):
    same = np.tile(np.array([[0.6, 0.8]], dtype=np.float32), (5, 1))
    alike = replace(told, features=replace(told.features, vectors=same))
    row = Embeddings().fit(alike, make_rng()).scores([make_history([0])])[0]
    assert row == pytest.approx(1.5 * popularity(told.ratings))


def test_popularity_is_added_by_its_weight(told):
    with_it, without = (Embeddings(popularity_weight=weight).fit(told, make_rng()) for weight in (2.0, 0.0))
    history = make_history([1])
    added = with_it.scores([history]) - without.scores([history])
    assert added[0] == pytest.approx(2.0 * popularity(told.ratings))


@pytest.mark.parametrize("kind", DEGENERATE)
def test_stands_degenerate_input_of_which_nothing_is_told(kind):
    interactions = make_degenerate(kind)
    histories = [interactions.history(user) for user in range(interactions.n_users)]
    assert np.isfinite(Embeddings().fit(interactions, make_rng()).scores(histories)).all()


def test_goes_by_popularity_where_nothing_is_told():
    interactions = make_random_interactions(make_rng())
    row = Embeddings(popularity_weight=1.5).fit(interactions, make_rng()).scores([make_history([0, 1])])[0]
    assert row == pytest.approx(1.5 * popularity(interactions.ratings))


def test_a_history_of_films_of_which_nothing_is_told_has_no_share(told):
    arm = Embeddings().fit(told, make_rng())
    assert not arm.contributions(make_history([4]), np.arange(5)).any()
    assert arm.scores([make_history([4])])[0] == pytest.approx(1.5 * popularity(told.ratings))


def test_contributions_add_up_to_the_cosine(told):
    arm = Embeddings(popularity_weight=0.0).fit(told, make_rng())
    history = make_history([0, 4, 2])
    shares = arm.contributions(history, np.arange(5))
    assert shares.sum(axis=1) == pytest.approx(arm.scores([history])[0], abs=1e-6)
    assert not shares[:, 1].any()
