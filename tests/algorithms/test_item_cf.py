import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.arms import item_cf
from apps.algorithms.arms.ease import ease_weights
from apps.algorithms.arms.item_cf import ItemCf
from apps.algorithms.arms.neighbours import bm25_neighbours, share_of_pairs, updated_neighbours
from apps.algorithms.base import InvalidParameter
from apps.algorithms.deltas import delta_of
from apps.algorithms.matrices import unpack_csr
from apps.algorithms.types import Interactions, ItemIndex
from apps.algorithms.weights import signal_matrix
from tests.algorithms.changes import make_delta
from tests.algorithms.contract import AddsUp, ReadsHistory, make_history, make_rng
from tests.algorithms.factories import make_features, make_random_interactions


class TestItemCf(ReadsHistory, AddsUp):
    arm = "item_cf"
    parameters = {"l2": 5.0}


class TestBm25(ReadsHistory, AddsUp):
    arm = "item_cf"
    parameters = {"method": "bm25"}
    # In so small a public every film's weight moves with the mean length.
    update_likeness = 0.95


def brute_force_ease(dense, l2):
    inverse = np.linalg.inv(dense.T @ dense + l2 * np.eye(dense.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


@pytest.mark.parametrize(("n_users", "n_items"), [(12, 40), (60, 25), (20, 20)])
def test_ease_equals_the_closed_form_whichever_side_is_inverted(n_users, n_items):
    ratings = make_random_interactions(make_rng(), n_users=n_users, n_items=n_items).ratings
    matrix = signal_matrix(ratings, "graded")
    expected = brute_force_ease(matrix.toarray().astype(np.float64), 3.0)
    np.testing.assert_allclose(ease_weights(matrix, 3.0)[0], expected, atol=1e-5)


@pytest.mark.parametrize("n_users", [50, 1_100])
def test_ease_is_the_same_over_several_blocks(n_users):
    ratings = make_random_interactions(make_rng(), n_users=n_users, n_items=1_050, density=0.02).ratings
    matrix = signal_matrix(ratings, "all")
    expected = brute_force_ease(matrix.toarray().astype(np.float64), 20.0)
    np.testing.assert_allclose(ease_weights(matrix, 20.0)[0], expected, atol=1e-5)


def test_a_film_is_not_its_own_neighbour():
    matrix = signal_matrix(make_random_interactions(make_rng()).ratings, "all")
    for weights in (ease_weights(matrix, 3.0)[0], bm25_neighbours(matrix, 5, k1=1.2, b=0.5)):
        assert not weights.diagonal().any()
        assert weights.shape == (30, 30)


def test_bm25_keeps_at_most_so_many_neighbours():
    matrix = signal_matrix(make_random_interactions(make_rng()).ratings, "all")
    kept = np.diff(bm25_neighbours(matrix, 5, k1=1.2, b=0.5).indptr)
    assert kept.max() == 5


def test_auto_takes_neighbours_above_the_limit():
    interactions = make_random_interactions(make_rng())
    rows = {
        name: ItemCf(l2=5.0, **parameters).fit(interactions, make_rng()).scores([make_history([0, 1])])
        for name, parameters in {
            "ease": {"method": "ease"},
            "bm25": {"method": "bm25"},
            "at limit": {"max_ease_items": 30},
            "above": {"max_ease_items": 29},
        }.items()
    }
    np.testing.assert_array_equal(rows["at limit"], rows["ease"])
    np.testing.assert_array_equal(rows["above"], rows["bm25"])
    assert not np.array_equal(rows["ease"], rows["bm25"])


def make_sparse_interactions(*, n_films):
    """The random ratings of thirty films among ``n_films``, every third of the first ninety."""
    plain = make_random_interactions(make_rng())
    ratings = sparse.csr_matrix(
        (plain.ratings.data, plain.ratings.indices * 3, plain.ratings.indptr), shape=(20, n_films)
    )
    items = ItemIndex(np.arange(n_films, dtype=np.int64))
    return plain, Interactions(ratings, plain.rated_at, items, make_features(n_films))


def test_ease_looks_at_rated_films_alone():
    plain, among = make_sparse_interactions(n_films=95)
    expected = ItemCf(l2=5.0).fit(plain, make_rng())
    arm = ItemCf(l2=5.0, max_ease_items=30).fit(among, make_rng())
    assert arm.arrays()["weights"].shape == (30, 30)
    row = arm.scores([make_history([94, 0, 3])])[0]
    np.testing.assert_allclose(row[:90:3], expected.scores([make_history([0, 1])])[0], rtol=1e-6)
    assert not row[1:90:3].any()
    assert not row[90:].any()
    led = arm.contributions(make_history([94, 0, 3]), np.array([6, 7]))
    np.testing.assert_allclose(led.sum(axis=1), row[[6, 7]], atol=1e-6)
    assert not led[:, 0].any()


def test_ease_knows_nothing_of_who_rated_only_films_that_nobody_else_did():
    _, among = make_sparse_interactions(n_films=95)
    arm = ItemCf(l2=5.0).fit(among, make_rng())
    assert not arm.scores([make_history([1, 94])]).any()


def test_refuses_a_method_it_does_not_have():
    with pytest.raises(InvalidParameter) as refusal:
        ItemCf(method="slim")
    assert str(refusal.value) == "item_cf: method must be one of auto, ease, bm25, not 'slim'."


@pytest.mark.parametrize("kept", [128, 0])
def test_an_update_is_the_closed_form_of_what_there_is_now(monkeypatch, kept):
    """Beside the weights, and where there is more than fits beside them, as one matrix with them."""
    monkeypatch.setattr(item_cf, "MAX_RANK", kept)
    delta = make_delta()
    parameters = {"signal": "all", "half_life": None, "l2": 4.0, "method": "ease"}
    arm = ItemCf(**parameters).fit(delta.before, make_rng()).update(delta, make_rng())
    dense = (delta.after.ratings.toarray() > 0).astype(np.float64)
    expected = brute_force_ease(dense, 4.0)
    found = np.vstack([arm.scores([make_history([film])])[0] for film in range(delta.after.n_items)])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    beside = arm.arrays()["left"].shape[1] if kept else "left" in arm.arrays()
    assert beside == (2 * delta.n_people if kept else False)


def test_updates_go_on_from_each_other(monkeypatch):
    delta = make_delta()
    there = ItemCf(l2=4.0, method="ease").fit(delta.before, make_rng())
    back = delta_of(delta.after, delta.before, people=delta.people[:, ::-1])
    again = there.update(delta, make_rng()).update(back, make_rng())
    history = [delta.before.history(4)]
    np.testing.assert_allclose(again.scores(history), there.scores(history), atol=1e-5)
    assert again.arrays()["left"].shape[1] == 4 * delta.n_people
    monkeypatch.setattr(item_cf, "MAX_RANK", 4 * delta.n_people)
    solid = again.update(delta, make_rng())
    assert "left" not in solid.arrays()
    back_again = solid.update(back, make_rng())
    np.testing.assert_allclose(back_again.scores(history), there.scores(history), atol=1e-5)


def test_what_updates_left_beside_the_weights_is_worked_in(monkeypatch):
    delta = make_delta()
    apart = ItemCf(l2=4.0, method="ease").fit(delta.before, make_rng()).update(delta, make_rng())
    assert not apart.is_loose
    assert apart.compacted() is apart
    monkeypatch.setattr(item_cf, "KEPT_RANK", 0)
    whole = apart.compacted()
    assert apart.is_loose
    assert not whole.is_loose
    assert "left" not in whole.arrays()
    histories = [delta.after.history(user) for user in range(delta.after.n_users)]
    np.testing.assert_allclose(whole.scores(histories), apart.scores(histories), atol=1e-5)
    back = delta_of(delta.after, delta.before, people=delta.people[:, ::-1])
    expected = ItemCf(l2=4.0, method="ease").fit(delta.before, make_rng()).scores(histories)
    np.testing.assert_allclose(whole.update(back, make_rng()).scores(histories), expected, atol=1e-5)


def test_an_update_of_many_is_a_fit(monkeypatch):
    monkeypatch.setattr(item_cf, "MOST_NEW", 1)
    delta = make_delta()
    arm = ItemCf(l2=4.0, method="ease").fit(delta.before, make_rng()).update(delta, make_rng())
    fitted = ItemCf(l2=4.0, method="ease").fit(delta.after, make_rng())
    np.testing.assert_array_equal(arm.arrays()["weights"], fitted.arrays()["weights"])


def bm25_of(interactions):
    return ItemCf(method="bm25", neighbours=4, signal="all").fit(interactions, make_rng())


def test_neighbours_of_all_films_worked_out_anew_are_those_of_a_fit():
    delta = make_delta()
    matrix = signal_matrix(delta.after.ratings, "all")
    before = bm25_neighbours(signal_matrix(delta.before.ratings, "all"), 4, k1=0.6, b=0.1)
    everything = np.arange(delta.after.n_items)
    found = updated_neighbours(before, matrix, everything, 4, k1=0.6, b=0.1)
    expected = bm25_neighbours(matrix, 4, k1=0.6, b=0.1)
    np.testing.assert_allclose(found.max(axis=1).toarray(), expected.max(axis=1).toarray(), rtol=1e-5)
    assert (np.diff(found.indptr) == np.diff(expected.indptr)).all()


def test_an_update_works_out_the_films_rated_anew_and_what_leads_to_them(monkeypatch):
    monkeypatch.setattr(item_cf, "_MANY", 1)
    delta = make_delta()
    before, fitted = bm25_of(delta.before), bm25_of(delta.after)
    updated = before.update(delta, make_rng())
    rows, wanted, old = (unpack_csr("rows", arm.arrays()).toarray() for arm in (updated, fitted, before))
    films = delta.rated
    np.testing.assert_allclose(np.sort(rows[films]), np.sort(wanted[films]), rtol=1e-5)
    assert (np.count_nonzero(rows, axis=1) <= 4).all()
    others = np.setdiff1d(np.arange(delta.after.n_items), films)
    kept = rows[np.ix_(others, others)]
    assert set(kept[kept > 0].tolist()) <= set(old[np.ix_(others, others)].ravel().tolist())
    led = rows[np.ix_(others, films)]
    np.testing.assert_allclose(
        led[led > 0], wanted_similarities(delta)[np.ix_(others, films)][led > 0], rtol=1e-5
    )


def wanted_similarities(delta):
    """Of every two films, without a cut."""
    matrix = signal_matrix(delta.after.ratings, "all")
    return bm25_neighbours(matrix, delta.after.n_items, k1=0.6, b=0.1).toarray()


def test_the_share_of_pairs_counts_ordered_pairs_of_one_persons_ratings() -> None:
    matrix = sparse.csr_matrix(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=np.float32))
    # 4 + 4 + 1 pairs; of the first film 2, of the last 2 + 1.
    assert share_of_pairs(matrix, np.array([0])) == pytest.approx(2 / 9)
    assert share_of_pairs(matrix, np.array([0, 2])) == pytest.approx(5 / 9)
    assert share_of_pairs(matrix, np.array([0, 1, 2])) == 1.0
    assert share_of_pairs(sparse.csr_matrix((3, 3), dtype=np.float32), np.array([0])) == 0.0
