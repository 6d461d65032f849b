"""What the arms share: reading parameters, keeping learned arrays, folding in a history."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from apps.algorithms.arms.parameters import PersonalSettings, Settings, read_settings
from apps.algorithms.base import Folded, NotFittedError, Recommender
from apps.algorithms.deltas import Delta
from apps.algorithms.types import (
    Arrays,
    Float32,
    Float64,
    History,
    Int64,
    Interactions,
    Parameters,
)
from apps.algorithms.weights import history_weights


class ConfiguredArm(Recommender):
    """A recommender whose keyword arguments are checked against ``settings_class``."""

    settings_class: ClassVar[type[Settings]]
    reads_vectors: ClassVar[bool] = False
    """Whether ``learn`` itself reads what encoders made of the films."""
    settings: Settings

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        self.settings = read_settings(self.settings_class, self.name, parameters)

    @property
    def parameters(self) -> Parameters:
        return self.settings.as_parameters()

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the arms that this one is made of; most stand alone."""
        return ()

    def link(self, arms: Mapping[str, Recommender]) -> Self:
        """Refer to the arms named in ``needs``, which the caller keeps and fits."""
        return self

    @abstractmethod
    def learn(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        """Learn what the arm itself keeps; the arms that it refers to are fitted already."""


class LearnedArm(ConfiguredArm):
    """An arm whose whole learned state is a dictionary of arrays.

    ``fit`` and ``from_arrays`` both end in ``_adopt``, so a saved arm cannot differ from a fitted
    one and a second ``fit`` leaves nothing of the first.
    """

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        super().__init__(**parameters)
        self._arrays: dict[str, npt.NDArray[Any]] | None = None

    def fit(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        return self.learn(interactions, rng)

    def learn(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        self._adopt(self._learn(interactions, rng))
        return self

    def update(self, delta: Delta, rng: np.random.Generator) -> Self:
        arm = type(self)(**self.parameters)
        arm._adopt(self._updated(delta, rng))
        return arm

    @classmethod
    def from_arrays(cls, parameters: Parameters, arrays: Arrays) -> Self:
        arm = cls(**parameters)
        arm._adopt(arrays)
        return arm

    def arrays(self) -> Arrays:
        return self.arrays_

    @property
    def arrays_(self) -> dict[str, npt.NDArray[Any]]:
        if self._arrays is None:
            raise NotFittedError(f"{self.name} has not been fitted: call fit or from_arrays first.")
        return self._arrays

    def scores(self, histories: Sequence[History]) -> Float32:
        rows = np.zeros((len(histories), self.n_items), dtype=np.float32)
        for row, history in zip(rows, histories, strict=True):
            row[:] = self._score(history)
        return rows

    def fold(self, history: History) -> Folded:
        return Folded(
            self._score(history), lambda items: self.contributions(history, items), is_personal=self.personal
        )

    def _adopt(self, arrays: Arrays) -> None:
        # np.asarray drops the memmap subclass, not the mapping: plain views index much faster.
        self._arrays = {name: np.asarray(array) for name, array in arrays.items()}

    @property
    @abstractmethod
    def n_items(self) -> int:
        """The number of films the arm was fitted on."""

    @abstractmethod
    def _learn(self, interactions: Interactions, rng: np.random.Generator) -> Arrays:
        """The learned state."""

    def _updated(self, delta: Delta, rng: np.random.Generator) -> Arrays:
        """The learned state after the delta, from that before; what is cheap to learn is learned anew."""
        return self._learn(delta.after, rng)

    @abstractmethod
    def _score(self, history: History) -> Float32:
        """One row of ``scores``, ``(n_items,)``."""


class PersonalArm(LearnedArm):
    """A learned arm that reads a history through its ``signal`` and ``half_life``.

    Entries that weigh nothing never reach the arm; a history without any other gives zeros.
    """

    settings: PersonalSettings

    def fold(self, history: History) -> Folded:
        entries, weights, counted = self._counted(history)
        if len(entries) == 0 or self.n_items == 0:
            return Folded(
                np.zeros(self.n_items, dtype=np.float32),
                lambda items: np.zeros((len(items), len(history))),
                is_personal=False,
            )
        return Folded(
            self._fold_in(entries, weights),
            lambda items: _spread(self._shares(entries, weights, items), counted, len(history)),
            is_personal=True,
        )

    def contributions(self, history: History, items: Int64) -> Float64:
        return self.fold(history).contributions(items)

    def _score(self, history: History) -> Float32:
        return self.fold(history).scores

    def _counted(self, history: History) -> tuple[Int64, Float32, Int64]:
        """Films and weights of the entries that weigh anything, and their places in the history."""
        weights = history_weights(history, self.settings.signal, self.settings.half_life)
        counted = np.flatnonzero(weights)
        return history.items[counted], weights[counted], counted

    @abstractmethod
    def _fold_in(self, entries: Int64, weights: Float32) -> Float32:
        """Scores ``(n_items,)`` of a viewer with these films and positive weights, at least one."""

    @abstractmethod
    def _shares(self, entries: Int64, weights: Float32, items: Int64) -> Float64:
        """What each entry adds to the score of each of ``items``, ``(len(items), len(entries))``."""


def _spread(shares: Float64, counted: Int64, n: int) -> Float64:
    """Shares of the entries that weigh, among ``n`` entries of which the others add nothing."""
    if len(counted) == n:
        return shares
    spread = np.zeros((len(shares), n))
    spread[:, counted] = shares
    return spread
