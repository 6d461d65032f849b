"""What every arm keeps where interactions have weights; ``ArmContract`` includes it."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np

from apps.algorithms.base import Recommender
from apps.algorithms.deltas import Delta
from apps.algorithms.types import History, Interactions
from tests.algorithms.changes import weigh, weigh_delta
from tests.algorithms.factories import make_random_interactions


class WeighsContract(ABC):
    arm: ClassVar[str]
    update_likeness: ClassVar[float]

    @abstractmethod
    def fit(self, interactions: Interactions, seed: int = 5) -> Recommender: ...

    @abstractmethod
    def histories(self, interactions: Interactions) -> list[History]: ...

    @abstractmethod
    def dressed(self, interactions: Interactions) -> Interactions: ...

    @abstractmethod
    def make_delta(self, *, with_films: bool = False) -> Delta: ...

    @abstractmethod
    def update_bundle(self, delta: Delta) -> dict[str, Recommender]: ...

    def test_weights_of_one_are_as_none(self) -> None:
        plain = self.dressed(make_random_interactions(np.random.default_rng(5)))
        weighted = replace(plain, weights=np.ones(plain.ratings.nnz, dtype=np.float32))
        histories = self.histories(plain)
        np.testing.assert_array_equal(self.fit(weighted).scores(histories), self.fit(plain).scores(histories))

    def test_what_weighs_nothing_was_never_said(self) -> None:
        whole = weigh(self.dressed(make_random_interactions(np.random.default_rng(5))))
        assert whole.weights is not None
        kept = whole.weights > 0.3
        without = replace(whole, weights=np.where(kept, whole.weights, np.float32(0)))
        histories = self.histories(whole)
        np.testing.assert_allclose(
            self.fit(without).scores(histories),
            self.fit(whole.part(kept)).scores(histories),
            rtol=1e-5,
            atol=1e-6,
        )

    def test_updated_with_weights_it_scores_nearly_as_a_fit_does(self) -> None:
        delta = weigh_delta(self.make_delta())
        found = self.update_bundle(delta)[self.arm].scores(self.histories(delta.after))
        known = self.fit(delta.after).scores(self.histories(delta.after))
        rows = [row for row in range(len(known)) if known[row].std() > 1e-6]
        alike = [float(np.corrcoef(found[row], known[row])[0, 1]) for row in rows]
        assert min(alike) >= self.update_likeness, min(alike)
