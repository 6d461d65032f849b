import numpy as np
import pytest

from apps.algorithms.arms.genre import Genre
from tests.algorithms.contract import ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_interactions


class TestGenre(ReadsHistory):
    arm = "genre"


def test_is_the_cosine_of_profile_and_genres_plus_popularity():
    # Genres are the index modulo 3; film 3 has one admirer, the most of all.
    interactions = make_interactions([(0, 3, 5.0, 0.0)], n_users=1, n_items=6)
    arm = Genre(half_life=None, popularity_weight=0.5).fit(interactions, make_rng())
    row = arm.scores([make_history([0, 1])])[0]
    half = 1 / np.sqrt(2)
    assert row == pytest.approx([half, half, 0.0, half + 0.5, half, 0.0])


def test_popularity_decides_within_a_genre():
    rows = [(user, 4, 5.0, 0.0) for user in range(3)] + [(0, 7, 5.0, 0.0)]
    arm = Genre().fit(make_interactions(rows, n_users=3, n_items=9), make_rng())
    row = arm.scores([make_history([1])])[0]
    assert np.argsort(-row)[:3].tolist() == [4, 7, 1]


def test_contributions_add_up_to_the_cosine():
    interactions = make_interactions([], n_users=1, n_items=6)
    arm = Genre(popularity_weight=0.0).fit(interactions, make_rng())
    history = make_history([0, 1, 3])
    sums = arm.contributions(history, np.arange(6)).sum(axis=1)
    assert sums == pytest.approx(arm.scores([history])[0], abs=1e-6)
