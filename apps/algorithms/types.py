"""Values that travel between the numeric core and its callers.

Inside the core films and people are row numbers (``index``); film ids of the outside world are
translated once, at the boundary, by ``ItemIndex``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LIKED_FROM = 4.0
"""A rating of this many stars or more says that the viewer liked the film."""


@dataclass(frozen=True)
class ItemIndex:
    """Film ids in ascending order; a film's position in ``ids`` is its index in every array.

    ``ids`` is int64 of shape ``(n_items,)``, strictly ascending.
    """

    ids: Int64

    def __post_init__(self) -> None:
        if self.ids.ndim != 1 or np.any(np.diff(self.ids) <= 0):
            raise ValueError("film ids must be one strictly ascending list")

    def __len__(self) -> int:
        return len(self.ids)

    def indices(self, ids: Sequence[int] | Int64) -> Int64:
        """The index of each id, int64 of the same length; -1 where the id is unknown."""
        wanted = np.asarray(ids, dtype=np.int64)
        if len(self.ids) == 0:
            return np.full(len(wanted), -1, dtype=np.int64)
        # In place: there may be as many as there are ratings.
        spots = np.searchsorted(self.ids, wanted)
        np.minimum(spots, len(self.ids) - 1, out=spots)
        spots[self.ids[spots] != wanted] = -1
        return spots


@dataclass(frozen=True)
class ItemFeatures:
    """What the catalogue says about the films, aligned with an ``ItemIndex``.

    genres
        CSR ``(n_items, n_genres)`` float32 of 0 and 1.
    primary_genre
        int32 ``(n_items,)``, a column of ``genres``; -1 for a film without one.
    terms
        CSR ``(n_items, n_terms)`` float32, non-negative weights of keywords, people, decade,
        language and title words; may have zero columns.
    genre_names, term_names
        Column names, for reasons.
    vectors
        float32 ``(n_items, d)``, what an encoder makes of the films' texts (and posters): rows of length
        one, or zero for a film of which nothing is told; ``d`` is 0 where no encoder ran.
    is_long_tail, is_niche
        bool ``(n_items,)`` by the catalogue's rules.
    n_shown
        int64 ``(n_items,)``: how often the film was shown lately, on any surface.
    """

    genres: sparse.csr_matrix
    primary_genre: Int32
    terms: sparse.csr_matrix
    genre_names: tuple[str, ...]
    term_names: tuple[str, ...]
    vectors: Float32
    is_long_tail: Bool
    is_niche: Bool
    n_shown: Int64


@dataclass(frozen=True)
class Interactions:
    """Everybody's ratings, the one input of every ``fit``.

    ratings
        CSR ``(n_users, n_items)`` float32 in 0.5 to 5.0; an absent entry is no rating.
    rated_at
        float64 seconds since 1970, aligned with ``ratings.data``.
    items
        Translates film ids to columns.
    features
        The catalogue's view of the same columns.
    """

    ratings: sparse.csr_matrix
    rated_at: Float64
    items: ItemIndex
    features: ItemFeatures

    @property
    def n_users(self) -> int:
        return int(self.ratings.shape[0])

    @property
    def n_items(self) -> int:
        return int(self.ratings.shape[1])

    def history(self, user: int) -> "History":
        """The ratings of one row as a ``History``, oldest first (ties by film index)."""
        start, end = self.ratings.indptr[user], self.ratings.indptr[user + 1]
        items = self.ratings.indices[start:end]
        rated_at = self.rated_at[start:end]
        order = np.lexsort((items, rated_at))
        return History(
            items=items[order].astype(np.int64),
            values=self.ratings.data[start:end][order].astype(np.float32),
        )


@dataclass(frozen=True)
class History:
    """What one viewer has said, oldest first: the viewer's whole state for every arm.

    items
        int64 ``(n,)`` film indices, no duplicates, all within the catalogue of the arm.
    values
        float32 ``(n,)`` stars in 0.5 to 5.0.
    """

    items: Int64
    values: Float32

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def age_ranks(self) -> Int64:
        """int64 ``(n,)``: 0 for the newest entry, n - 1 for the oldest."""
        return np.arange(len(self.items) - 1, -1, -1, dtype=np.int64)

    @classmethod
    def empty(cls) -> "History":
        return cls(items=np.empty(0, dtype=np.int64), values=np.empty(0, dtype=np.float32))


@dataclass(frozen=True)
class Ranked:
    """Films in descending order of score: ``items`` int64 ``(k,)`` and ``scores`` float32 ``(k,)``."""

    items: Int64
    scores: Float32

    def __len__(self) -> int:
        return len(self.items)


Parameters = Mapping[str, int | float | str | bool | None]
"""Parameters of one arm: JSON scalars by name."""
Arrays = Mapping[str, npt.NDArray[np.generic]]
"""An arm's learned state: plain numeric arrays by name, as an artifact stores them."""
