"""How far a list reaches beyond what everybody knows, and how many kinds of film are on it."""

from typing import NamedTuple

import numpy as np

from apps.algorithms.types import Int64
from apps.training.registry import Engine


class Variety(NamedTuple):
    """``novelty`` in bits is the mean of ``log2((1 + most) / (1 + people))`` over the films, ``people`` being
    those who rated the film and ``most`` those who rated the most rated one. ``n_genres`` counts primary
    genres.
    """

    novelty: float
    n_genres: int


def variety_of(active: Engine, items: Int64) -> Variety | None:
    """Of films by their indices; None without any."""
    if not len(items):
        return None
    known = np.log2(1 + active.popularity[items].astype(np.float64))
    genres = active.primary_genre[items]
    most = np.log2(1 + float(active.traits.most_rated))
    return Variety(float(most - known.mean()), len(np.unique(genres[genres >= 0])))
