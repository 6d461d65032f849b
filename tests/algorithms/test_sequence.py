import tracemalloc

import numpy as np
import pytest

from apps.algorithms.arms.sequence import Sequence
from apps.algorithms.base import InvalidParameter
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_interactions, make_random_interactions

SMALL = {"l2": 5.0, "min_ratings": 1}


class TestSequence(ReadsHistory, AddsUp):
    arm = "sequence"
    parameters = SMALL


def brute_force(interactions, *, reach, together, l2):
    """The least-squares problem itself, pair by pair, with no film told by itself."""
    n = interactions.n_items
    system, told = np.zeros((n, n)), np.zeros((n, n))
    for user in range(interactions.n_users):
        items = interactions.history(user).items
        for a, before in enumerate(items):
            for b, after in enumerate(items):
                near = 0.5 ** (abs(a - b) / reach)
                system[before, after] += near + together
                told[before, after] += (near if a < b else 0.0) + together
    system += l2 * np.eye(n)
    weights = np.zeros((n, n))
    for target in range(n):
        # Without the target's own row and column: the constraint solved by leaving it out.
        others = np.delete(np.arange(n), target)
        weights[others, target] = np.linalg.solve(system[np.ix_(others, others)], told[others, target])
    return weights


def test_equals_the_constrained_least_squares_solved_film_by_film():
    interactions = make_random_interactions(make_rng(), n_users=15, n_items=12)
    arm = Sequence(signal="all", reach=3.0, together=0.4, l2=2.0, min_ratings=1).fit(interactions, make_rng())
    expected = brute_force(interactions, reach=3.0, together=0.4, l2=2.0)
    np.testing.assert_allclose(arm.arrays()["weights"], expected, atol=1e-5)


def test_a_fit_takes_the_memory_that_it_says():
    interactions = make_random_interactions(make_rng(), n_users=200, n_items=1500, density=0.1)
    arm = Sequence(min_ratings=1)
    tracemalloc.start()
    arm.fit(interactions, make_rng())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(arm.arrays()["weights"]) == 1500
    # 24 for each cell, and a third more for blocks of rows and ratings, which weigh more in so small a fit.
    assert peak < 32 * 1500**2


def test_learns_which_film_comes_after_which():
    # Everybody watches film 0, then 1, then 2; films 3 and 4 in either order.
    rows = [(user, film, 5.0, float(film)) for user in range(12) for film in (0, 1, 2)]
    rows += [(user, 3 + (user + step) % 2, 5.0, 10.0 + step) for user in range(12) for step in (0, 1)]
    interactions = make_interactions(rows, n_users=12, n_items=5)
    arm = Sequence(reach=1.0, together=0.0, l2=1.0, min_ratings=1).fit(interactions, make_rng())
    after_first, after_second = arm.scores([make_history([0]), make_history([1])])
    assert after_first[1] > after_first[2]
    assert after_second[2] > after_second[0]


def test_leaves_out_films_with_too_few_ratings():
    rows = [(user, film, 5.0, float(film)) for user in range(6) for film in (0, 2)]
    interactions = make_interactions([*rows, (0, 1, 5.0, 9.0)], n_users=6, n_items=4)
    arm = Sequence(l2=1.0, min_ratings=2).fit(interactions, make_rng())
    assert arm.arrays()["place"].tolist() == [0, -1, 1, -1]
    assert np.flatnonzero(arm.scores([make_history([0])])[0]).tolist() == [2]
    assert not arm.scores([make_history([1])]).any()


def test_takes_the_most_rated_of_too_many_films():
    rows = [(user, film, 5.0, float(film)) for film in range(4) for user in range(2 + film % 3)]
    interactions = make_interactions(rows, n_users=4, n_items=4)
    arm = Sequence(l2=1.0, min_ratings=1, max_items=2).fit(interactions, make_rng())
    assert arm.arrays()["place"].tolist() == [-1, 0, 1, -1]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"reach": 0.5}, "sequence: reach must be a number from 1 to 1000, not 0.5."),
        ({"max_items": 0}, "sequence: max_items must be a whole number from 1 to 20000, not 0."),
    ],
)
def test_refuses_parameters_out_of_range(parameters, sentence):
    with pytest.raises(InvalidParameter) as refusal:
        Sequence(**parameters)
    assert str(refusal.value) == sentence
