"""Everybody's ratings and the catalogue as the arrays that arms learn from."""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db.models import F
from django.utils import timezone
from scipy import sparse

from apps.algorithms.registry import vector_readers
from apps.algorithms.types import Float32, Int64, Interactions, ItemIndex, Parameters
from apps.catalog.models import Movie
from apps.core.errors import InvalidInput
from apps.ratings.models import Rating
from apps.training.columns import CHUNK_ROWS, Column, Epoch, read_columns, read_many
from apps.training.corpus import Corpus
from apps.training.encoding import Warn, log_warning
from apps.training.features import build_features


def build_corpus(warn: Warn = log_warning) -> Corpus:
    """All standing ratings, of imported people too, and what the catalogue says about the films.

    Films are those that viewers can be shown and those that somebody rated: a hidden film still
    says something about the people who watched it. One row of ``ratings`` per person who rated, in
    ascending order of user id. A rating takes 28 bytes while it is read, 43 at the most (measured at
    20 million) and 16 in the end. ``warn`` is told what the catalogue's view lacks because an encoder
    cannot run.
    """
    read_at = timezone.now()
    users, movies, values, rated_at = _read_ratings()
    items = ItemIndex(np.union1d(available_movies(), movies))
    columns = items.indices(movies).astype(np.int32)
    people, ends = row_ends(users)
    ratings = sparse.csr_matrix((values, columns, ends), shape=(len(people), len(items)))
    features = build_features(items, warn)
    return Corpus(Interactions(ratings, rated_at, items, features), people, read_at)


def build_interactions(warn: Warn = log_warning) -> Interactions:
    """``build_corpus`` without the people's names."""
    return build_corpus(warn).interactions


def build_measured_interactions(names: Sequence[str], parameters: Mapping[str, Parameters]) -> Interactions:
    """``build_interactions`` to measure the arms ``names`` with; ``parameters`` are a recipe's.

    A fit goes on without vectors. A measurement would give the figures of popularity another arm's name:
    raises ``InvalidInput`` when an encoder cannot run and one of the arms depends on it.
    """

    def warn(sentence: str) -> None:
        readers = vector_readers(names, parameters)
        if readers:
            raise InvalidInput(
                f"Without films' vectors there is no measuring {', '.join(readers)}: mend the encoder, or "
                f"choose other arms. {sentence}"
            )
        log_warning(sentence)

    return build_interactions(warn)


def _read_ratings() -> tuple[Int64, Int64, Float32, Column]:
    # This order is the order of CSR, and the unique index of the table delivers it.
    rows = (
        Rating.objects.standing()
        .order_by("user_id", "movie_id")
        .values_list("user_id", "movie_id", "value", Epoch(F("changed_at")))
    )
    users, movies, values, rated_at = read_many(rows, (np.int64, np.int64, np.float32, np.float64))
    return users, movies, values, rated_at


def available_movies() -> Int64:
    """The ids of the films that viewers can be shown, ascending."""
    rows = Movie.objects.available().order_by("id").values_list("id").iterator(CHUNK_ROWS)
    (ids,) = read_columns(rows, (np.int64,))
    return ids


def row_ends(users: Int64) -> tuple[Int64, Int64]:
    """The people of one row a rating, whose ids ascend, and CSR's ``indptr`` of their ratings."""
    is_first = np.ones(len(users), dtype=np.bool_)
    np.not_equal(users[1:], users[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    return users[starts], np.append(starts, len(users)).astype(np.int64)
