"""What people said and did, as columns: one row a person and film."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.algorithms.registry import ARMS
from apps.algorithms.types import NOBODY, Bool, Float32, Float64, Int8, Int64, Interactions, Source

ARM_NAMES = (*ARMS, "other")
"""What ``shown_by`` counts; the last is an arm that there is no more."""
# Of columns that are left out while every row says the same: what that is.
_USUAL: dict[str, Any] = {
    "sources": np.int8(Source.RATING),
    "shown_by": np.int8(NOBODY),
    "propensities": np.float32("nan"),
}
_COLUMNS = ("values", "rated_at", *_USUAL)


@dataclass(frozen=True, eq=False)
class Said:
    """As in ``Interactions``: ``values`` are stars, NaN of what is not there any more. A column is None where
    every row says what a rating says that no list led to."""

    values: Float32
    rated_at: Float64
    sources: Int8 | None = None
    shown_by: Int8 | None = None
    propensities: Float32 | None = None

    @classmethod
    def of(cls, known: Interactions) -> "Said":
        return cls(known.ratings.data, known.rated_at, known.sources, known.shown_by, known.propensities)

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Whole, also where it is left out."""
        held = getattr(self, name)
        return np.full(len(self), _USUAL[name]) if held is None else held

    def take(self, places: Int64 | Bool) -> "Said":
        held = {name: getattr(self, name) for name in _COLUMNS}
        return Said(**{name: array[places] for name, array in held.items() if array is not None})

    def merged(self, spots: Int64, others: "Said") -> "Said":
        """With ``others`` before the rows ``spots``, as ``np.insert`` has it."""
        return Said(
            **{
                name: np.insert(self.column(name), spots, others.column(name))
                for name in _held([self, others])
            }
        )

    def differs(self, other: "Said") -> Bool:
        """Row by row, of as many."""
        found: Bool = np.zeros(len(self), dtype=np.bool_)
        for name in _held([self, other]):
            mine, theirs = self.column(name), other.column(name)
            is_same = mine == theirs
            if mine.dtype.kind == "f":
                is_same |= np.isnan(mine) & np.isnan(theirs)
            found |= ~is_same
        return found

    def slim(self) -> "Said":
        """Without the columns in which every row says what is usual."""
        sources, shown_by, propensities = self.sources, self.shown_by, self.propensities
        if sources is not None and not sources.any():
            sources = None
        if shown_by is not None and bool((shown_by == NOBODY).all()):
            shown_by = propensities = None
        return Said(self.values, self.rated_at, sources, shown_by, propensities)


@dataclass(frozen=True, eq=False)
class Rows:
    """``users`` and ``movies`` int64, whose and of which film each row of ``said`` is."""

    users: Int64
    movies: Int64
    said: Said

    @classmethod
    def of_ratings(cls, users: Int64, movies: Int64, values: Float32, rated_at: Float64) -> "Rows":
        return cls(users, movies, Said(values, rated_at))

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        if len(parts) == 1:
            return parts[0]
        said = [part.said for part in parts]
        return cls(
            np.concatenate([part.users for part in parts]),
            np.concatenate([part.movies for part in parts]),
            Said(**{name: np.concatenate([one.column(name) for one in said]) for name in _held(said)}),
        )

    def __len__(self) -> int:
        return len(self.users)

    def take(self, places: Int64 | Bool) -> "Rows":
        return Rows(self.users[places], self.movies[places], self.said.take(places))


def _held(parts: Sequence[Said]) -> list[str]:
    """The columns that any of them has."""
    return [name for name in _COLUMNS if any(getattr(part, name) is not None for part in parts)]
