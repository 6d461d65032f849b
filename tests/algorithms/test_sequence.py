import tracemalloc

import numpy as np
import pytest

from apps.algorithms.arms import sequence
from apps.algorithms.arms.sequence import Sequence
from apps.algorithms.base import InvalidParameter
from apps.algorithms.deltas import delta_of
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_interactions, make_random_interactions, rows_of

SMALL = {"l2": 5.0, "min_ratings": 1}


class TestSequence(ReadsHistory, AddsUp):
    arm = "sequence"
    parameters = SMALL
    update_likeness = 0.999


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


def grown(n_users=40, n_items=25):
    """Everybody's ratings, and with some more that come last in the histories of three."""
    before = make_random_interactions(make_rng(), n_users=n_users, n_items=n_items)
    rows = rows_of(before)
    more = []
    for user in (1, 4, 7):
        own = {item for who, item, *_ in rows if who == user}
        more += [(user, item, 5.0, 200.0 + item) for item in sorted(set(range(n_items)) - own)[:2]]
    after = make_interactions([*rows, *more], n_users=n_users, n_items=n_items)
    return delta_of(before, after, people=[(user, user) for user in (1, 4, 7)])


def test_an_update_by_ratings_that_come_last_is_close_to_a_fit():
    delta = grown()
    arm = Sequence(min_ratings=1, l2=5.0).fit(delta.before, make_rng())
    updated = arm.update(delta, make_rng())
    fitted = Sequence(min_ratings=1, l2=5.0).fit(delta.after, make_rng())
    histories = [delta.after.history(user) for user in range(40)]
    found, known, stale = (one.scores(histories) for one in (updated, fitted, arm))
    assert "left" in updated.arrays()
    assert np.abs(found - known).max() < 0.05 * np.abs(stale - known).max()


def test_p_after_an_update_is_that_of_a_fit():
    delta = grown()
    updated = Sequence(min_ratings=1, l2=5.0).fit(delta.before, make_rng()).update(delta, make_rng()).arrays()
    fitted = Sequence(min_ratings=1, l2=5.0).fit(delta.after, make_rng()).arrays()
    inverse = updated["inverse"] - updated["inverse_left"] @ updated["inverse_right"].T
    np.testing.assert_allclose(inverse, fitted["inverse"], atol=1e-5)


def test_what_updates_left_beside_is_worked_in(monkeypatch):
    delta = grown()
    apart = Sequence(min_ratings=1, l2=5.0).fit(delta.before, make_rng()).update(delta, make_rng())
    assert not apart.is_loose
    assert apart.compacted() is apart
    monkeypatch.setattr(sequence, "KEPT_RANK", 1)
    whole = apart.compacted()
    assert (apart.is_loose, whole.is_loose) == (True, False)
    histories = [delta.after.history(user) for user in range(40)]
    np.testing.assert_allclose(whole.scores(histories), apart.scores(histories), atol=1e-5)
    fitted = Sequence(min_ratings=1, l2=5.0).fit(delta.after, make_rng()).arrays()
    np.testing.assert_allclose(whole.arrays()["inverse"], fitted["inverse"], atol=1e-5)


def test_wide_factors_are_made_one_matrix(monkeypatch):
    delta = grown()
    arm = Sequence(min_ratings=1, l2=5.0).fit(delta.before, make_rng())
    apart = arm.update(delta, make_rng())
    monkeypatch.setattr(sequence, "MAX_RANK", 1)
    whole = arm.update(delta, make_rng())
    assert "left" not in whole.arrays()
    assert whole.arrays()["inverse_left"].shape[1] == 0
    histories = [delta.after.history(user) for user in range(40)]
    np.testing.assert_allclose(whole.scores(histories), apart.scores(histories), atol=1e-5)
