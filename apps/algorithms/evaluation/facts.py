"""What measures need to know about the films."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.arms.content import tf_idf_rows
from apps.algorithms.head import head_of
from apps.algorithms.types import LIKED_FROM, Bool, Float32, Int32, Int64, Interactions
from apps.algorithms.unexpected import is_unexpected


@dataclass(frozen=True)
class FilmFacts:
    """Facts by film, from the training part alone but for what the catalogue says.

    counts
        int64 ``(n_items,)``, people who rated the film.
    in_tail
        bool ``(n_items,)``: outside the head, the most rated films that got 80 % of the ratings.
    vectors
        CSR ``(n_items, d)`` float32, unit rows of terms and genres (TF-IDF), empty for a bare film.
    primary_genre
        int32 ``(n_items,)``, -1 for none.
    is_long_tail, is_niche
        bool ``(n_items,)`` by the catalogue's rules.
    """

    n_users: int
    counts: Int64
    in_tail: Bool
    vectors: sparse.csr_matrix
    primary_genre: Int32
    is_long_tail: Bool
    is_niche: Bool

    @property
    def n_items(self) -> int:
        return len(self.counts)

    @property
    def is_cold(self) -> Bool:
        """Films that nobody rated: what learns from ratings cannot find them."""
        cold: Bool = self.counts == 0
        return cold

    def dense(self, films: Sequence[int]) -> Float32:
        """The vectors of ``films``, float32 ``(len(films), d)``."""
        return np.asarray(self.vectors[np.asarray(films, dtype=np.int64)].toarray(), dtype=np.float32)


def film_facts(train: Interactions) -> FilmFacts:
    """The facts of ``train``'s films."""
    counts = np.bincount(train.ratings.indices, minlength=train.n_items).astype(np.int64)
    in_tail = np.ones(train.n_items, dtype=np.bool_)
    in_tail[list(head_of(enumerate(counts.tolist())))] = False
    return FilmFacts(
        n_users=train.n_users,
        counts=counts,
        in_tail=in_tail,
        vectors=tf_idf_rows(train.features, genre_weight=1.0),
        primary_genre=train.features.primary_genre,
        is_long_tail=train.features.is_long_tail,
        is_niche=train.features.is_niche,
    )


def unexpected_films(facts: FilmFacts, liked: Int64, films: Sequence[int]) -> set[int]:
    """Which of ``films`` are unlike what the viewer liked, by terms and genres (``is_unexpected``)."""
    asked = np.asarray(films, dtype=np.int64)
    return set(asked[is_unexpected(facts.vectors, asked, liked)].tolist())


def liked_films(train: Interactions, user: int) -> Int64:
    """The films that one row of ``train`` gave four stars or more, int64."""
    row = slice(train.ratings.indptr[user], train.ratings.indptr[user + 1])
    films: Int64 = train.ratings.indices[row][train.ratings.data[row] >= LIKED_FROM].astype(np.int64)
    return films
