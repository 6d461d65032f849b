"""What every arm keeps, as a class of tests that each arm's test module subclasses."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import sparse

from apps.algorithms.base import Folds, InvalidParameter, NotFittedError, Recommender
from apps.algorithms.deltas import Delta, delta_of
from apps.algorithms.registry import default_parameters, fit_arms, load_arms, make_arm, update_arms
from apps.algorithms.top import top_items
from apps.algorithms.types import Arrays, History, Interactions, Parameters
from tests.algorithms.changes import make_delta
from tests.algorithms.factories import make_interactions, make_random_interactions
from tests.algorithms.weighing import WeighsContract

BOARD = 24
"""People and films of the checker-board: both fall into two groups, even and odd."""


def make_rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def make_history(items: list[int], stars: float = 5.0) -> History:
    return History(items=np.array(items, dtype=np.int64), values=np.full(len(items), stars, dtype=np.float32))


def make_checkerboard() -> Interactions:
    """Even people like all even films but their own number, odd people likewise.

    Genres and terms follow the same two groups.
    """
    rows = [
        (user, item, 5.0, float(item))
        for user in range(BOARD)
        for item in range(user % 2, BOARD, 2)
        if item != user
    ]
    plain = make_interactions(rows, n_users=BOARD, n_items=BOARD)
    group = sparse.csr_matrix(np.eye(2, dtype=np.float32)[np.arange(BOARD) % 2])
    features = replace(
        plain.features,
        genres=group,
        primary_genre=(np.arange(BOARD) % 2).astype(np.int32),
        terms=group,
        genre_names=("even", "odd"),
        term_names=("keyword:even", "keyword:odd"),
        vectors=group.toarray(),
    )
    return Interactions(plain.ratings, plain.rated_at, plain.items, features)


def make_degenerate(kind: str) -> Interactions:
    rows, n_users, n_items = {
        "nobody": ([], 0, 4),
        "no ratings": ([], 3, 4),
        "no films": ([], 3, 0),
        "one rating": ([(0, 0, 4.0, 1.0)], 1, 1),
        "one person": ([(0, item, 4.0, 1.0) for item in range(4)], 1, 6),
        "one film": ([(user, 2, 4.5, 1.0) for user in range(5)], 5, 4),
        "all equal": ([(user, item, 3.0, 1.0) for user in range(5) for item in range(4)], 5, 4),
        "all disliked": ([(user, item, 0.5, 1.0) for user in range(4) for item in range(4)], 4, 4),
    }[kind]
    return make_interactions(rows, n_users=n_users, n_items=n_items)


DEGENERATE = [
    "nobody", "no ratings", "no films", "one rating", "one person", "one film", "all equal", "all disliked",
]  # fmt: skip


def freeze(interactions: Interactions) -> Interactions:
    """The same with its arrays read-only, so that whoever writes to them fails."""
    matrices = (interactions.ratings, interactions.features.genres, interactions.features.terms)
    arrays = [getattr(matrix, part) for matrix in matrices for part in ("data", "indices", "indptr")]
    for array in (*arrays, interactions.rated_at):
        array.flags.writeable = False
    return interactions


def save_and_load(arms: dict[str, Recommender], directory: Path) -> dict[str, Recommender]:
    """The arms by way of ``.npy`` files opened memory-mapped and read-only."""
    saved: dict[str, tuple[Parameters, Arrays]] = {}
    for name, arm in arms.items():
        arrays = {}
        for label, array in arm.arrays().items():
            path = directory / f"{name}.{label}.npy"
            np.save(path, array, allow_pickle=False)
            arrays[label] = np.load(path, mmap_mode="r", allow_pickle=False)
        saved[name] = (arm.parameters, arrays)
    return load_arms(saved)


class ArmContract(WeighsContract):
    """Subclass as ``Test…`` and set ``arm``; add the classes below whose promises the arm makes."""

    arm: ClassVar[str]
    parameters: ClassVar[dict[str, Any]] = {}
    """What suits these tiny data sets, where the defaults do not."""
    personal: ClassVar[bool] = True
    update_likeness: ClassVar[float] = 0.99999
    """The least correlation, over films, of a viewer's scores after an update and after a fit."""

    def fit_bundle(self, interactions: Interactions, seed: int = 5) -> dict[str, Recommender]:
        parameters = {self.arm: self.parameters, **self.part_parameters()}
        return fit_arms([self.arm], interactions, make_rng(seed), parameters=parameters)

    def part_parameters(self) -> dict[str, Parameters]:
        """Parameters of the arms that this one is made of."""
        return {}

    def fit(self, interactions: Interactions, seed: int = 5) -> Recommender:
        return self.fit_bundle(interactions, seed)[self.arm]

    def histories(self, interactions: Interactions) -> list[History]:
        return [interactions.history(user) for user in range(interactions.n_users)]

    def test_among_all_arms_of_its_bundle_it_folds_as_by_itself(self) -> None:
        interactions = make_random_interactions(make_rng(), n_users=20, n_items=30)
        bundle, items = self.fit_bundle(interactions), np.arange(30)
        for history in [*self.histories(interactions)[:3], History.empty()]:
            folds: Folds = {}
            for arm in bundle.values():
                arm.fold_among(history, folds)
            alone, among = bundle[self.arm].fold(history), folds[bundle[self.arm]]
            np.testing.assert_array_equal(among.scores, alone.scores)
            np.testing.assert_array_equal(among.contributions(items), alone.contributions(items))
            assert among.is_personal == alone.is_personal

    def test_scores_every_film_for_every_history(self) -> None:
        interactions = make_random_interactions(make_rng(), n_users=20, n_items=30)
        scores = self.fit(interactions).scores(self.histories(interactions))
        assert scores.shape == (20, 30)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_names_itself_and_whether_it_is_personal(self) -> None:
        arm = make_arm(self.arm)
        assert (arm.name, arm.personal) == (self.arm, self.personal)

    def test_no_history_gives_no_rows(self) -> None:
        interactions = make_random_interactions(make_rng())
        assert self.fit(interactions).scores([]).shape == (0, 30)

    def test_scores_together_as_one_by_one(self) -> None:
        interactions = make_random_interactions(make_rng())
        arm, histories = self.fit(interactions), self.histories(interactions)
        alone = np.vstack([arm.scores([history]) for history in histories])
        np.testing.assert_allclose(arm.scores(histories), alone, rtol=1e-5, atol=1e-6)

    def test_knows_nothing_of_an_empty_history(self) -> None:
        arm = self.fit(make_random_interactions(make_rng()))
        row = arm.scores([History.empty()])[0]
        assert not row.any() if self.personal else row.any()

    def test_reads_unknown_film_ids_as_no_history(self) -> None:
        interactions = make_random_interactions(make_rng())
        found = interactions.items.indices([3, -10, 10**12])
        history = make_history([int(index) for index in found if index >= 0])
        arm = self.fit(interactions)
        np.testing.assert_array_equal(arm.scores([history]), arm.scores([History.empty()]))

    def test_ranks_a_whole_catalogue_when_asked_for_more(self) -> None:
        interactions = make_random_interactions(make_rng())
        row = self.fit(interactions).scores([interactions.history(0)])[0]
        assert sorted(top_items(row, 1_000).tolist()) == list(range(30))

    def test_scores_a_viewer_who_has_seen_everything(self) -> None:
        interactions = make_random_interactions(make_rng())
        row = self.fit(interactions).scores([make_history(list(range(30)))])[0]
        assert np.abs(row).max() < 1e4

    def test_the_same_seed_gives_the_same_scores(self) -> None:
        interactions = make_random_interactions(make_rng())
        histories = self.histories(interactions)
        first, second = (self.fit(interactions, seed=8).scores(histories) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_refit_forgets_and_takes_the_new_shapes(self) -> None:
        small = make_random_interactions(make_rng(1), n_users=15, n_items=20)
        grown = make_random_interactions(make_rng(2), n_users=17, n_items=23)
        refitted = make_arm(self.arm, self.parameters).fit(small, make_rng()).fit(grown, make_rng())
        fresh = make_arm(self.arm, self.parameters).fit(grown, make_rng())
        histories = self.histories(grown)
        assert refitted.scores(histories).shape == (17, 23)
        np.testing.assert_array_equal(refitted.scores(histories), fresh.scores(histories))

    def test_saving_and_loading_changes_nothing(self, tmp_path: Path) -> None:
        interactions = make_random_interactions(make_rng())
        bundle = self.fit_bundle(interactions)
        arm, loaded = bundle[self.arm], save_and_load(bundle, tmp_path)[self.arm]
        histories, items = self.histories(interactions), np.arange(30)
        assert loaded.parameters == arm.parameters
        np.testing.assert_array_equal(loaded.scores(histories), arm.scores(histories))
        np.testing.assert_array_equal(
            loaded.contributions(histories[3], items), arm.contributions(histories[3], items)
        )

    def test_loading_maps_big_arrays_instead_of_copying_them(self, tmp_path: Path) -> None:
        bundle = self.fit_bundle(make_random_interactions(make_rng()))
        for arm in save_and_load(bundle, tmp_path).values():
            assert not any(array.flags.writeable for array in arm.arrays().values())

    def test_leaves_its_input_alone(self) -> None:
        interactions = freeze(make_random_interactions(make_rng()))
        history = interactions.history(0)
        items = np.array([7, 2, 9, 2])
        for array in (history.items, history.values, items):
            array.flags.writeable = False
        arm = self.fit(interactions)
        assert arm.scores([history]).flags.writeable
        assert arm.contributions(history, items).shape == (4, len(history))

    def test_refuses_to_score_before_fit(self) -> None:
        with pytest.raises(NotFittedError, match="has not been fitted: call fit or from_arrays first"):
            make_arm(self.arm).scores([History.empty()])

    def test_refuses_an_unknown_parameter(self) -> None:
        known = ", ".join(sorted(default_parameters(self.arm)))
        with pytest.raises(InvalidParameter) as refusal:
            make_arm(self.arm, {"colour": 1})
        assert str(refusal.value) == f"{self.arm} has no parameter 'colour'; its parameters are: {known}."

    def test_shows_its_parameters(self) -> None:
        parameters = {**default_parameters(self.arm), **self.parameters}
        assert make_arm(self.arm, self.parameters).parameters == parameters

    @pytest.mark.parametrize("kind", DEGENERATE)
    def test_stands_degenerate_input(self, kind: str) -> None:
        interactions = make_degenerate(kind)
        arm = self.fit(interactions)
        histories = [History.empty(), *self.histories(interactions)]
        if interactions.n_items:
            histories.append(make_history([0]))
        scores = arm.scores(histories)
        assert scores.shape == (len(histories), interactions.n_items)
        assert np.isfinite(scores).all()
        shares = arm.contributions(histories[-1], np.arange(interactions.n_items))
        assert np.isfinite(shares).all()

    def test_contributions_have_a_row_per_film_and_a_column_per_entry(self) -> None:
        interactions = make_random_interactions(make_rng())
        history = interactions.history(2)
        shares = self.fit(interactions).contributions(history, np.array([4, 0, 11]))
        assert shares.shape == (3, len(history))
        assert shares.dtype == np.float64
        assert shares.any() == self.personal

    def test_contributions_to_nothing_and_of_nothing_are_empty(self) -> None:
        interactions = make_random_interactions(make_rng())
        arm = self.fit(interactions)
        nothing = np.empty(0, dtype=np.int64)
        assert arm.contributions(interactions.history(0), nothing).shape[0] == 0
        assert arm.contributions(History.empty(), np.array([1, 2])).shape == (2, 0)

    # --- Updates ---------------------------------------------------------------------------------

    def dressed(self, interactions: Interactions) -> Interactions:
        """With whatever the arm learns from besides ratings."""
        return interactions

    def make_delta(self, *, with_films: bool = False) -> Delta:
        plain = make_delta(with_films=with_films)
        before, after = self.dressed(plain.before), self.dressed(plain.after)
        return delta_of(before, after, people=plain.people)

    def update_bundle(self, delta: Delta) -> dict[str, Recommender]:
        return update_arms(self.fit_bundle(delta.before), delta, make_rng())

    def test_updated_it_scores_nearly_as_a_fit_does(self) -> None:
        delta = self.make_delta()
        found = self.update_bundle(delta)[self.arm].scores(self.histories(delta.after))
        known = self.fit(delta.after).scores(self.histories(delta.after))
        assert (found.shape, found.dtype) == (known.shape, np.float32)
        rows = [row for row in range(len(known)) if known[row].std() > 1e-6]
        alike = [float(np.corrcoef(found[row], known[row])[0, 1]) for row in rows]
        assert min(alike) >= self.update_likeness, min(alike)

    def test_updated_it_leaves_the_one_before_as_it_was(self) -> None:
        delta = self.make_delta()
        bundle = self.fit_bundle(delta.before)
        for arm in bundle.values():
            for array in arm.arrays().values():
                array.flags.writeable = False
        before = bundle[self.arm].scores(self.histories(delta.before))
        updated = update_arms(bundle, delta, make_rng())
        assert updated[self.arm] is not bundle[self.arm]
        np.testing.assert_array_equal(bundle[self.arm].scores(self.histories(delta.before)), before)

    def test_updated_it_knows_films_that_came_and_none_that_went(self) -> None:
        delta = self.make_delta(with_films=True)
        arm = self.update_bundle(delta)[self.arm]
        scores = arm.scores([History.empty(), *self.histories(delta.after)])
        assert scores.shape[1] == delta.after.n_items
        assert np.isfinite(scores).all()

    def test_updated_and_saved_it_is_the_same(self, tmp_path: Path) -> None:
        delta = self.make_delta()
        updated = self.update_bundle(delta)
        loaded = save_and_load(updated, tmp_path)
        again = update_arms(loaded, self.nothing_more(delta), make_rng())
        histories = self.histories(delta.after)
        found = updated[self.arm].scores(histories)
        np.testing.assert_array_equal(loaded[self.arm].scores(histories), found)
        assert again[self.arm].scores(histories).shape == found.shape

    def nothing_more(self, delta: Delta) -> Delta:
        return delta_of(delta.after, delta.after, people=[])


class AddsUp(ArmContract):
    """For arms whose score is a sum over the history."""

    def test_updated_its_contributions_add_up_to_the_score(self) -> None:
        delta = self.make_delta()
        arm, history = self.update_bundle(delta)[self.arm], delta.after.history(4)
        shares = arm.contributions(history, np.arange(delta.after.n_items)).sum(axis=1)
        apart = arm.scores([history])[0] - shares
        np.testing.assert_allclose(apart, apart[0], atol=1e-4)

    def test_contributions_add_up_to_the_score(self) -> None:
        interactions = make_random_interactions(make_rng())
        arm, history = self.fit(interactions), interactions.history(4)
        shares = arm.contributions(history, np.arange(30)).sum(axis=1)
        apart = arm.scores([history])[0] - shares
        np.testing.assert_allclose(apart, apart[0], atol=1e-4)


class TellsGroupsApart(ArmContract):
    """For arms that see the two groups of the checker-board."""

    @pytest.mark.parametrize("group", [0, 1])
    def test_places_a_groups_own_films_first(self, group: int) -> None:
        seen = list(range(group, 10, 2))
        row = self.fit(make_checkerboard()).scores([make_history(seen)])[0]
        own_unseen = [item for item in range(group, BOARD, 2) if item not in seen]
        assert row[own_unseen].min() > row[1 - group :: 2].max()

    def test_contributions_come_from_the_own_group(self) -> None:
        shares = self.fit(make_checkerboard()).contributions(make_history([0, 2, 1]), np.array([8]))
        assert min(shares[0, :2]) > shares[0, 2]
        assert min(shares[0, :2]) > 0


class ReadsHistory(TellsGroupsApart):
    """For arms that read a history through a signal and a half-life."""

    def test_a_disliked_film_attracts_nothing_under_graded(self) -> None:
        interactions = make_random_interactions(make_rng())
        arm = self.fit(interactions)
        disliked = make_history([1, 2, 3], stars=2.0)
        assert not arm.scores([disliked]).any()
        assert not arm.contributions(disliked, np.arange(5)).any()

    def test_a_short_half_life_follows_the_newest_entries(self) -> None:
        even_then_odd = make_history([0, 2, 4, 6, 8, 1, 3])
        odd_shares = []
        for half_life in (None, 1.0):
            parameters = {self.arm: {**self.parameters, "half_life": half_life}}
            arm = fit_arms([self.arm], make_checkerboard(), make_rng(), parameters=parameters)[self.arm]
            even, odd = arm.scores([even_then_odd])[0, 10:].reshape(-1, 2).mean(axis=0)
            odd_shares.append(odd / (odd + even))
        assert odd_shares[0] < 0.5
        assert odd_shares[1] > odd_shares[0] + 0.02

    @pytest.mark.parametrize("signal", ["all", "liked", "graded", "stars"])
    def test_learns_from_every_signal(self, signal: str) -> None:
        parameters = {self.arm: {**self.parameters, "signal": signal}}
        interactions = make_random_interactions(make_rng())
        arm = fit_arms([self.arm], interactions, make_rng(), parameters=parameters)[self.arm]
        assert arm.scores([make_history([0, 1, 2])]).any()

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            ({"signal": "loud"}, "signal must be one of all, liked, graded, stars, not 'loud'."),
            ({"half_life": 0}, "half_life must be a number from 0.5 to 10000, or None, not 0."),
            ({"half_life": float("nan")}, "half_life must be a number from 0.5 to 10000, or None, not nan."),
        ],
    )
    def test_refuses_a_history_read_wrongly(self, given: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InvalidParameter) as refusal:
            make_arm(self.arm, given)
        assert str(refusal.value) == f"{self.arm}: {sentence}"
