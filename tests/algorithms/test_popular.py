import numpy as np
import pytest

from apps.algorithms.arms.popular import Popular
from apps.algorithms.base import InvalidParameter
from apps.algorithms.types import History, Interactions
from tests.algorithms.contract import ArmContract, make_rng
from tests.algorithms.factories import make_interactions


class TestPopular(ArmContract):
    arm = "popular"
    personal = False


@pytest.fixture
def few() -> Interactions:
    """Film 0: two people like it. Film 1: one loves it. Film 2: three dislike it. Film 3: unrated."""
    rows = [(0, 0, 4.0), (1, 0, 4.0), (0, 1, 5.0), (0, 2, 1.0), (1, 2, 1.0), (2, 2, 1.0)]
    return make_interactions([(*row, 0.0) for row in rows], n_users=3, n_items=4)


def order(interactions: Interactions, **parameters) -> list[int]:
    arm = Popular(**parameters).fit(interactions, make_rng())
    return np.argsort(-arm.scores([History.empty()])[0], kind="stable").tolist()


def test_counts_who_liked_a_film_and_settles_ties_by_means(few):
    assert order(few, by="count", signal="liked") == [0, 1, 3, 2]


def test_counts_everybody_when_told(few):
    assert order(few, by="count", signal="all") == [2, 0, 1, 3]


def test_ranks_by_damped_mean(few):
    # The mean of all is 16/6: film 0 has (2.667 + 8) / 3 = 3.56, film 1 (2.667 + 5) / 2 = 3.83.
    assert order(few, by="mean", prior_weight=1.0) == [1, 0, 3, 2]
    # With a heavy prior two good ratings say more than one perfect one: 0.0267 against 0.0233.
    assert order(few, by="mean", prior_weight=100.0) == [0, 1, 3, 2]


def test_refuses_an_unknown_measure():
    with pytest.raises(InvalidParameter) as refusal:
        Popular(by="fame")
    assert str(refusal.value) == "popular: by must be one of count, mean, not 'fame'."


DAY = 86_400.0
WHO_RATED = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
OLD_AND_NEW = [(user, film, 5.0, film * 20 * DAY) for user, film in WHO_RATED]


@pytest.mark.parametrize(("half_life", "first"), [(None, 0), (100.0, 0), (10.0, 1)])
def test_old_ratings_count_less_when_told(half_life, first):
    """Three of twenty days ago count .75 where they halve every ten, less than two of today."""
    interactions = make_interactions(OLD_AND_NEW, n_users=3, n_items=3)
    assert order(interactions, half_life_days=half_life)[0] == first


def test_decayed_counts_are_these():
    interactions = make_interactions(OLD_AND_NEW, n_users=3, n_items=3)
    scores = Popular(half_life_days=10.0).fit(interactions, make_rng()).scores([History.empty()])[0]
    np.testing.assert_allclose(np.expm1(scores), [0.75 + 5 / 26, 2 + 5 / 26, 5 / 26], rtol=1e-5)
