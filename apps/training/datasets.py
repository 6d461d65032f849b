"""Everybody's ratings and the catalogue as the arrays that arms learn from."""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db.models import F
from django.utils import timezone
from scipy import sparse

from apps.algorithms.drills import shuffle_films
from apps.algorithms.registry import vector_readers
from apps.algorithms.types import Float32, Int64, Interactions, ItemFeatures, ItemIndex, Parameters
from apps.catalog.models import Movie
from apps.core.errors import InvalidInput
from apps.ratings.models import Rating
from apps.training.columns import CHUNK_ROWS, Column, Epoch, read_columns, read_many
from apps.training.corpus import Corpus
from apps.training.data import EXPLICIT_RATINGS, DataParameters
from apps.training.encoding import Warn, log_warning
from apps.training.features import build_features
from apps.training.rows import ARM_NAMES, Rows, Said
from apps.training.sources import complete
from apps.training.weighing import mean_inverse_of, weigh

_SHUFFLING_SEED = 1


def build_corpus(
    data: DataParameters = EXPLICIT_RATINGS, warn: Warn = log_warning, *, mean_inverse: float | None = None
) -> Corpus:
    """All standing ratings, of imported people too, what else ``data`` asks for, and what the catalogue says
    about the films.

    Films are those that viewers can be shown and those that somebody rated: a hidden film still
    says something about the people who watched it. One row of ``ratings`` per person who rated, in
    ascending order of user id. A rating takes 28 bytes while it is read, 43 at the most (measured at
    20 million) and 16 in the end. ``warn`` is told what the catalogue's view lacks because an encoder
    cannot run. ``mean_inverse`` as in ``Corpus``, of what is read where it is None.
    """
    read_at = timezone.now()
    rows = complete(Rows.of_ratings(*_read_ratings()), data)
    items = ItemIndex(np.union1d(available_movies(), rows.movies))
    columns = items.indices(rows.movies).astype(np.int32)
    people, ends = row_ends(rows.users)
    ratings = sparse.csr_matrix((rows.said.values, columns, ends), shape=(len(people), len(items)))
    mean = mean_inverse_of(rows.said, data) if mean_inverse is None else mean_inverse
    interactions = interactions_of(ratings, rows.said, data, mean, items, build_features(items, warn))
    if data.shuffled:
        interactions = shuffle_films(interactions, np.random.default_rng(_SHUFFLING_SEED))
    return Corpus(interactions, people, read_at, data, mean)


def interactions_of(
    ratings: sparse.csr_matrix,
    said: Said,
    data: DataParameters,
    mean_inverse: float,
    items: ItemIndex,
    features: ItemFeatures,
) -> Interactions:
    """``ratings`` holds the values of ``said``, which has its order."""
    return Interactions(
        ratings,
        said.rated_at,
        items,
        features,
        weights=weigh(said, data, mean_inverse),
        sources=said.sources,
        shown_by=said.shown_by,
        propensities=said.propensities,
        arm_names=() if said.shown_by is None else ARM_NAMES,
    )


def build_interactions(data: DataParameters = EXPLICIT_RATINGS, warn: Warn = log_warning) -> Interactions:
    """``build_corpus`` without the people's names."""
    return build_corpus(data, warn).interactions


def build_measured_interactions(
    names: Sequence[str], parameters: Mapping[str, Parameters], data: DataParameters = EXPLICIT_RATINGS
) -> Interactions:
    """``build_interactions`` to measure the arms ``names`` with; ``parameters`` are those of a recipe's arms.

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

    return build_interactions(data, warn)


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
