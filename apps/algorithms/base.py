"""The protocol that every arm keeps."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from apps.algorithms.deltas import Delta
from apps.algorithms.types import (
    Arrays,
    Bool,
    Float32,
    Float64,
    History,
    Int64,
    Interactions,
    Parameters,
)


class NotFittedError(RuntimeError):
    """An arm was asked for scores before ``fit`` or ``from_arrays``."""


class InvalidParameter(ValueError):
    """A parameter is unknown or out of its range; the message names it and the range."""


@dataclass(frozen=True)
class Folded:
    """One viewer folded into an arm: what ``scores`` and ``contributions`` say, worked out once.

    ``scores`` is float32 ``(n_items,)``; ``contributions`` takes film indices and returns float64
    ``(len(items), len(history))``. ``is_personal`` is False where the scores are the same for everybody of
    whom the arm knows nothing.
    """

    scores: Float32
    contributions: Callable[[Int64], Float64]
    is_personal: bool


Folds = dict["Recommender", Folded]
"""One viewer as folded into each of several arms."""


@dataclass(frozen=True)
class Path:
    """How an arm came from a film to another: by a thing that both have.

    ``entry`` is the place of the film that it came from among those asked about. ``relation`` is what the
    thing is to a film, as ``director``; ``name`` is empty for a thing without one.
    """

    entry: int
    relation: str
    name: str


class Recommender(ABC):
    """One way to recommend. It learns about films only; a viewer is folded in as a ``History``.

    The constructor stores parameters and raises ``InvalidParameter`` for one that is unknown or
    out of range. ``fit`` learns and returns self; fields that end in ``_`` are learned. A second
    ``fit`` forgets the first. Nothing reads a clock, a file or a global random state.
    """

    name: ClassVar[str]
    """The arm's name in strategies, in the log and in the registry."""
    personal: ClassVar[bool] = True
    """False when every viewer gets the same scores."""

    @abstractmethod
    def fit(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        """Learn from all ratings. ``rng`` is the only source of chance."""

    @abstractmethod
    def update(self, delta: Delta, rng: np.random.Generator) -> Self:
        """A new arm that knows ``delta.after``, made from this one, which knows ``delta.before``.

        Close to a fit, and cheaper where the arm knows how; else a fit. This one stays as it is.
        """

    @property
    def is_loose(self) -> bool:
        """Whether updates left so much beside what was fitted that ``compacted`` is worth its time."""
        return False

    def compacted(self) -> Self:
        """An arm of the same scores in which everything that updates left beside is worked in; this one where
        nothing is loose."""
        return self

    @abstractmethod
    def scores(self, histories: Sequence[History]) -> Float32:
        """Finite scores, float32 ``(len(histories), n_items)``, higher is better.

        An empty history is served like any other; a personal arm that knows nothing of the viewer
        returns a row of zeros, which callers read as "nothing to place". Films of the history are
        scored too: leaving them out is the caller's task. Raises ``NotFittedError`` before ``fit``.
        """

    @abstractmethod
    def contributions(self, history: History, items: Int64) -> Float64:
        """What each entry of ``history`` adds to the scores of ``items``.

        float64 ``(len(items), len(history))``. For arms whose score is a sum over the history the
        rows sum to the score (up to float error and a constant per viewer); an arm that is not
        personal returns zeros. The basis of every reason.
        """

    def fold(self, history: History) -> Folded:
        """Scores and contributions for one viewer; an arm for which these share work overrides it."""
        scores = self.scores([history])[0]
        is_personal = self.personal and bool(scores.any())
        return Folded(scores, lambda items: self.contributions(history, items), is_personal)

    def fold_among(self, history: History, folds: Folds) -> Folded:
        """``fold``, but what is in ``folds`` is not made again, and what is made is left there.

        ``folds`` are of the same history; arms that are made of others find their parts there.
        """
        if self not in folds:
            folds[self] = self.fold(history)
        return folds[self]

    def path(self, item: int, entries: Int64, led: Float64) -> Path | None:
        """The most telling way to ``item`` from one of the films ``entries``.

        ``led``, positive, ``(len(entries),)``, is what each added to the score of ``item``. None for an arm
        that goes by no things that films share, and where they share none worth naming.
        """
        return None

    def unexpected(self, history: History, items: Int64) -> Bool:
        """Which of ``items`` are unlike what the viewer liked, bool ``(len(items),)``.

        By the rule that the arm itself places them by; none for an arm that goes by no such rule.
        """
        return np.zeros(len(items), dtype=np.bool_)

    @abstractmethod
    def arrays(self) -> Arrays:
        """Everything ``fit`` learned, as plain numeric arrays."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, parameters: Parameters, arrays: Arrays) -> Self:
        """The arm as it was saved. ``arrays`` may be memory-mapped and read-only."""

    @property
    @abstractmethod
    def parameters(self) -> Parameters:
        """The constructor's parameters, defaults included; JSON scalars."""
