"""What arms share that are made of others."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Self

import numpy as np

from apps.algorithms.arms.learned import LearnedArm
from apps.algorithms.base import InvalidParameter, NotFittedError, Recommender
from apps.algorithms.deltas import Delta
from apps.algorithms.types import Interactions


class ComposedArm(LearnedArm):
    """An arm that refers to others, which it does not own.

    ``link`` hands in those that ``needs`` names, so an arm that a bundle serves by itself is fitted,
    stored and loaded once. What the arm adds of its own is in its arrays.
    """

    def __init__(self, **parameters: int | float | str | bool | None) -> None:
        super().__init__(**parameters)
        self._parts: Mapping[str, Recommender] = {}

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Names of the arms that this one is made of, at least one, each once."""

    def link(self, arms: Mapping[str, Recommender]) -> Self:
        """Refer to these arms from now on. Raises ``InvalidParameter`` when one of ``needs`` is missing."""
        missing = [name for name in self.needs if name not in arms]
        if missing:
            raise InvalidParameter(f"{self.name} needs {', '.join(missing)} beside it.")
        self._parts = {name: arms[name] for name in self.needs}
        return self

    def fit(self, interactions: Interactions, rng: np.random.Generator) -> Self:
        """Fit the linked parts, then ``learn``. Whoever has fitted them already calls ``learn`` alone."""
        for part, stream in zip(self.parts.values(), rng.spawn(len(self.needs)), strict=True):
            part.fit(interactions, stream)
        return self.learn(interactions, rng)

    def update(self, delta: Delta, rng: np.random.Generator) -> Self:
        """Update the linked parts, then ``learn``. Whoever has updated them links and learns alone."""
        streams = rng.spawn(len(self.needs))
        parts = {
            name: part.update(delta, stream)
            for (name, part), stream in zip(self.parts.items(), streams, strict=True)
        }
        return type(self)(**self.parameters).link(parts).learn(delta.after, rng)

    @property
    def parts(self) -> Mapping[str, Recommender]:
        """The linked arms by name. Raises ``NotFittedError`` before ``link``."""
        if not self._parts:
            raise NotFittedError(
                f"{self.name} has not been fitted: call fit or from_arrays first, and link its parts."
            )
        return self._parts
