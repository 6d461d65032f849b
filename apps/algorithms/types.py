"""Values that travel between the numeric core and its callers.

Inside the core films and people are row numbers (``index``); film ids of the outside world are
translated once, at the boundary, by ``ItemIndex``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LIKED_FROM = 4.0
"""A rating of this many stars or more says that the viewer liked the film."""

NOBODY = -1
"""Among ``Interactions.shown_by``: no list had shown the film."""


class Source(IntEnum):
    """What a stored interaction is; of several of one person and film the first here counts."""

    RATING = 0
    THUMB = 1
    FAVORITE = 2
    WATCHLIST = 3
    CLICK = 4


LAST_OF_HISTORY = Source.FAVORITE
"""This and those before it stand for stars when a viewer is folded in; what comes after it does not."""


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
    """Everybody's ratings, and what else they did that says as much, the one input of every ``fit``.

    ratings
        CSR ``(n_users, n_items)`` float32 in 0.5 to 5.0; an absent entry is no rating.
    rated_at
        float64 seconds since 1970, aligned with ``ratings.data``.
    items
        Translates film ids to columns.
    features
        The catalogue's view of the same columns.
    weights
        float32, at least 0, aligned with ``ratings.data``: what an entry counts where a rating counts 1. None
        for ones. An entry of weight 0 counts as an absent one.
    sources
        int8, aligned: the ``Source`` of each entry. None where all are explicit ratings.
    shown_by, propensities
        int8 and float32, aligned: the arm, by its place in ``arm_names``, that had shown the film to the
        person in the list that the act is attributed to, and the probability with which it got that slot;
        ``NOBODY`` and NaN for what came without a list, NaN alone where the probability is not known. Both
        None where no list had shown anything.
    """

    ratings: sparse.csr_matrix
    rated_at: Float64
    items: ItemIndex
    features: ItemFeatures
    weights: Float32 | None = None
    sources: Int8 | None = None
    shown_by: Int8 | None = None
    propensities: Float32 | None = None
    arm_names: tuple[str, ...] = ()

    @property
    def n_users(self) -> int:
        return int(self.ratings.shape[0])

    @property
    def n_items(self) -> int:
        return int(self.ratings.shape[1])

    @cached_property
    def explicit(self) -> "Interactions":
        """The explicit ratings alone; itself where all are."""
        if self.sources is None:
            return self
        return replace(self.part(self.sources == Source.RATING), sources=None)

    @cached_property
    def counted(self) -> "Interactions":
        """Without what weighs 0; itself where nothing does."""
        return self if self.weights is None or self.weights.all() else self.part(self.weights > 0)

    def history(self, user: int) -> "History":
        """What one row stands for in stars, as a ``History``, oldest first (ties by film index).

        What a viewer only clicked or put on the watchlist is not in it, as in a viewer's at request time.
        """
        own = slice(self.ratings.indptr[user], self.ratings.indptr[user + 1])
        items, rated_at, values = self.ratings.indices[own], self.rated_at[own], self.ratings.data[own]
        order = np.lexsort((items, rated_at))
        if self.sources is not None:
            order = order[self.sources[own][order] <= LAST_OF_HISTORY]
        return History(items=items[order].astype(np.int64), values=values[order].astype(np.float32))

    def part(self, kept: Bool) -> "Interactions":
        """The entries that ``kept``, aligned with ``ratings.data``, marks; people and films as before."""
        whole = self.ratings
        kept_before = np.concatenate([[0], np.cumsum(kept)])
        ratings = sparse.csr_matrix(
            (whole.data[kept], whole.indices[kept], kept_before[whole.indptr]), shape=whole.shape
        )
        return replace(self, ratings=ratings, **self.aligned(kept))

    def of_people(self, rows: Int64) -> "Interactions":
        """The rows ``rows`` alone, in this order; films as before."""
        places = self.places(rows)
        whole = self.ratings
        some = sparse.csr_matrix((whole.data[places.data], places.indices, places.indptr), shape=places.shape)
        return replace(self, ratings=some, **self.aligned(places.data))

    def places(self, rows: Int64) -> sparse.csr_matrix:
        """Of the entries in ``rows`` where each is in ``ratings.data``, int64, as CSR of the same cells."""
        whole = self.ratings
        spots = np.arange(whole.nnz, dtype=np.int64)
        return sparse.csr_matrix((spots, whole.indices, whole.indptr), shape=whole.shape)[rows]

    def aligned(self, places: Int64 | Bool) -> dict[str, Any]:
        """By name each array that is aligned with ``ratings.data``, at ``places`` of it."""
        held = {name: getattr(self, name) for name in ALIGNED}
        return {name: array[places] for name, array in held.items() if array is not None}


ALIGNED = ("rated_at", "weights", "sources", "shown_by", "propensities")
"""The fields of ``Interactions`` that are aligned with ``ratings.data``."""


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
