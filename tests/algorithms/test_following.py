import numpy as np
import pytest

from apps.algorithms.arms import following
from apps.algorithms.arms.following import read_entries, sum_following
from tests.algorithms.contract import make_rng
from tests.algorithms.factories import make_interactions, make_random_interactions


def brute_force(interactions, films, *, longest, reach):
    """Pair by pair, a rating's weight being a fifth per star."""
    spot = {int(film): number for number, film in enumerate(films)}
    total = np.zeros((len(films), len(films)))
    for user in range(interactions.n_users):
        history = interactions.history(user)
        told = [
            (place, spot[film], stars / 5)
            for place, (film, stars) in enumerate(zip(history.items.tolist(), history.values, strict=True))
            if film in spot
        ][-longest:]
        for number, (a, before, weight) in enumerate(told):
            for b, after, other in told[number + 1 :]:
                total[before, after] += weight * other * 0.5 ** ((b - a) / reach)
    return total


@pytest.mark.parametrize("block_cells", [1, 3_000, 8_000_000])
@pytest.mark.parametrize("longest", [40, 1_000])
def test_sums_pairs_of_long_histories_as_one_by_one(monkeypatch, longest, block_cells):
    monkeypatch.setattr(following, "_BLOCK_CELLS", block_cells)
    interactions = make_random_interactions(make_rng(), n_users=12, n_items=90, density=0.7)
    films = np.arange(0, 90, 1)[np.arange(90) % 5 > 0]
    entries = read_entries(interactions, films, "stars", longest=longest)
    expected = brute_force(interactions, films, longest=longest, reach=4.0)
    np.testing.assert_allclose(sum_following(entries, len(films), 4.0), expected, rtol=1e-6)


def test_lets_time_pass_over_what_does_not_count():
    rows = [(0, 0, 5.0, 0.0), (0, 1, 1.0, 1.0), (0, 2, 5.0, 2.0)]
    entries = read_entries(
        make_interactions(rows, n_users=2, n_items=3), np.arange(3), "graded", longest=1_000
    )
    assert entries.places.tolist() == [0, 2]
    assert sum_following(entries, 3, 1.0)[0].tolist() == [0.0, 0.0, 0.25]


def test_finds_nothing_where_nobody_rated():
    entries = read_entries(make_interactions([], n_users=0, n_items=3), np.arange(3), "all", longest=9)
    assert not sum_following(entries, 3, 1.0).any()
