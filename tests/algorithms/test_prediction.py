from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.algorithms.base import InvalidParameter, NotFittedError
from apps.algorithms.deltas import delta_of
from apps.algorithms.metrics import rmse
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.types import History, Interactions
from tests.algorithms.changes import make_delta
from tests.algorithms.contract import DEGENERATE, freeze, make_degenerate, make_history, make_rng
from tests.algorithms.factories import make_interactions, make_random_interactions, rows_of, with_sources

ITEMS = np.arange(30)


def make_tastes(rng: np.random.Generator) -> tuple[Interactions, list[tuple[int, int, float]]]:
    """Even people give even films 4.5 and odd ones 1.5, odd people the reverse, with noise of half a
    star; a fifth of the ratings is held back."""
    kept, held = [], []
    for user in range(60):
        for item in range(30):
            stars = (4.5 if (user + item) % 2 == 0 else 1.5) + rng.choice([-0.5, 0.0, 0.5])
            if rng.random() < 0.2:
                held.append((user, item, float(stars)))
            else:
                kept.append((user, item, float(stars), float(item)))
    return make_interactions(kept, n_users=60, n_items=30), held


def test_learns_who_likes_what():
    interactions, held = make_tastes(make_rng())
    predictor = RatingPredictor(shrinkage=1.0).fit(interactions)
    predicted = [
        float(predictor.predict(interactions.history(user), np.array([item]))[0]) for user, item, _ in held
    ]
    # The noise alone has a deviation of 0.41; biases alone leave 1.5.
    assert rmse(predicted, [stars for *_, stars in held]) < 0.6


def test_biases_by_hand():
    rows = [(0, 0, 5.0, 0.0), (1, 0, 5.0, 0.0), (0, 1, 2.0, 0.0), (1, 1, 2.0, 0.0)]
    interactions = make_interactions(rows, n_users=2, n_items=3)
    arm = RatingPredictor(film_prior=2.0, viewer_prior=4.0).fit(interactions)
    # The mean is 3.5 and both people are average: film biases are +-2 * 1.5 / (2 + 2).
    assert arm.predict(History.empty(), np.arange(3)) == pytest.approx([4.25, 2.75, 3.5])
    # A rating of the unrated film 2 surprises by 1.5, and lifts the viewer by 1.5 / (4 + 1).
    assert arm.predict(make_history([2]), np.array([0])) == pytest.approx([4.55])


def test_neighbours_by_hand():
    rows = [(0, 0, 5.0, 0.0), (0, 1, 5.0, 0.0), (1, 0, 2.0, 0.0), (1, 1, 2.0, 0.0)]
    interactions = make_interactions(rows, n_users=2, n_items=2)
    arm = RatingPredictor(viewer_prior=1000.0, film_prior=1000.0, shrinkage=2.0, damping=0.5)
    stars = arm.fit(interactions).predict(make_history([1], stars=4.5), np.array([0]))
    # Both films' residuals agree (cosine 1), two people rated both: 1 * 2 / (2 + 2) = 0.5, so the
    # surprise of 1.0 counts 0.5 / (0.5 + 0.5). Heavy priors leave about a thousandth of bias.
    assert stars == pytest.approx([3.5 + 0.5], abs=0.01)


def test_stays_within_half_a_star_and_five():
    interactions, _ = make_tastes(make_rng())
    predictor = RatingPredictor(viewer_prior=0.01).fit(interactions)
    for stars in (0.5, 5.0):
        predicted = predictor.predict(make_history([0, 1, 2], stars=stars), ITEMS)
        assert predicted.dtype == np.float32
        assert predicted.min() >= 0.5
        assert predicted.max() <= 5.0


def test_only_the_nearest_may_vote():
    interactions, _ = make_tastes(make_rng())
    history = interactions.history(0)
    one, many = (RatingPredictor(voters=n).fit(interactions).predict(history, ITEMS) for n in (1, 20))
    assert not np.allclose(one, many)


@pytest.mark.parametrize("kind", DEGENERATE)
def test_stands_degenerate_input(kind):
    interactions = make_degenerate(kind)
    predictor = RatingPredictor().fit(interactions)
    history = make_history([0]) if interactions.n_items else History.empty()
    predicted = predictor.predict(history, np.arange(interactions.n_items))
    assert predicted.shape == (interactions.n_items,)
    assert np.all((predicted >= 0.5) & (predicted <= 5.0))


def test_saving_and_loading_changes_nothing(tmp_path: Path):
    interactions = make_random_interactions(make_rng())
    predictor = RatingPredictor(neighbours=7).fit(interactions)
    arrays = {}
    for name, array in predictor.arrays().items():
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
        arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    loaded = RatingPredictor.from_arrays(predictor.parameters, arrays)
    history = interactions.history(0)
    np.testing.assert_array_equal(loaded.predict(history, ITEMS), predictor.predict(history, ITEMS))
    assert not any(array.flags.writeable for array in loaded.arrays().values())


def test_refit_forgets_and_leaves_its_input_alone():
    small = freeze(make_random_interactions(make_rng(1), n_users=9, n_items=12))
    grown = freeze(make_random_interactions(make_rng(2), n_users=20, n_items=30))
    refitted = RatingPredictor().fit(small).fit(grown)
    fresh, history = RatingPredictor().fit(grown), grown.history(0)
    np.testing.assert_array_equal(refitted.predict(history, ITEMS), fresh.predict(history, ITEMS))


def test_refuses_to_predict_before_fit():
    with pytest.raises(NotFittedError) as refusal:
        RatingPredictor().predict(History.empty(), ITEMS)
    assert str(refusal.value) == "predictor has not been fitted: call fit or from_arrays first."


def test_refuses_parameters_out_of_range():
    with pytest.raises(InvalidParameter) as refusal:
        RatingPredictor(voters=0)
    assert str(refusal.value) == "predictor: voters must be a whole number from 1 to 1000, not 0."


def test_an_update_has_the_biases_of_a_fit_and_the_neighbours_of_films_rated_anew():
    before = make_random_interactions(make_rng(), n_users=30, n_items=60)
    rows = rows_of(before)
    own = {item for who, item, *_ in rows if who == 3}
    new = next(item for item in range(60) if item not in own)
    after = make_interactions([*rows, (3, new, 5.0, 99.0)], n_users=30, n_items=60)
    delta = delta_of(before, after, people=[(3, 3)])
    updated = RatingPredictor(neighbours=5).fit(before).update(delta).arrays()
    fitted = RatingPredictor(neighbours=5).fit(after).arrays()
    assert delta.rated.tolist() == [new]
    for name in ("mean", "film_bias"):
        np.testing.assert_array_equal(updated[name], fitted[name])
    np.testing.assert_allclose(updated["similarities"][new], fitted["similarities"][new], atol=1e-6)


def test_an_update_with_films_that_came_and_went_predicts_within_the_scale():
    delta = make_delta(with_films=True)
    predictor = RatingPredictor(neighbours=5).fit(delta.before).update(delta)
    items = np.arange(delta.after.n_items)
    stars = predictor.predict(delta.after.history(2), items)
    assert np.isfinite(stars).all()
    assert stars.min() >= 0.5
    assert stars.max() <= 5.0


def test_learns_from_explicit_ratings_alone_which_count_alike() -> None:
    data = with_sources(make_random_interactions(make_rng()), make_rng(3))
    history = make_history([1, 5, 8], stars=4.0)
    plain = replace(data.explicit, weights=None)
    np.testing.assert_array_equal(
        RatingPredictor().fit(data).predict(history, ITEMS),
        RatingPredictor().fit(plain).predict(history, ITEMS),
    )
