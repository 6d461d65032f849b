"""How much one rating counts: its signal times its recency.

Every personal arm reads the training ratings and a viewer's history through these functions alone,
so a rating means the same when an arm learns and when a viewer is folded in.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import sparse

from apps.algorithms.types import LIKED_FROM, Float32, History, Int64, Interactions

RECENCY_FLOOR = 0.1
"""What the oldest entries of a long history keep of their weight."""

_SIGNALS: Mapping[str, Callable[[Float32], Float32]] = {
    "all": np.ones_like,
    "liked": lambda stars: (stars >= LIKED_FROM).astype(np.float32),
    "graded": lambda stars: np.clip((stars - 2.0) / 3.0, 0.0, 1.0).astype(np.float32),
    "stars": lambda stars: (stars / 5.0).astype(np.float32),
}
SIGNALS = tuple(_SIGNALS)
"""What a rating says: ``all`` 1 for any rating, ``liked`` 1 from 4 stars and else nothing,
``graded`` rising from nothing at 2 stars to 1 at 5, ``stars`` a fifth per star."""


def signal_values(stars: Float32, signal: str) -> Float32:
    """The weight of each rating under ``signal``, float32 in 0 to 1, same shape as ``stars``."""
    return _SIGNALS[signal](np.asarray(stars, dtype=np.float32))


def interaction_matrix(interactions: Interactions, signal: str) -> sparse.csr_matrix:
    """What the arms learn from: ``signal_matrix`` of the interactions and their weights."""
    return signal_matrix(interactions.ratings, signal, interactions.weights)


def signal_matrix(
    ratings: sparse.csr_matrix, signal: str, weights: Float32 | None = None
) -> sparse.csr_matrix:
    """The ratings as weights under ``signal``, times ``weights``, which are aligned with ``ratings.data``.

    CSR float32 of the same shape, no stored zeros.
    """
    values = signal_values(ratings.data, signal)
    if weights is not None:
        values = values * weights
    weighted = sparse.csr_matrix((values, ratings.indices.copy(), ratings.indptr.copy()), shape=ratings.shape)
    weighted.eliminate_zeros()
    return weighted


def recency_weights(age_ranks: Int64, half_life: float | None) -> Float32:
    """float32 in 0.1 to 1: ``0.1 + 0.9 * 0.5 ** (age rank / half_life)``; ones for None.

    ``half_life`` counts entries of the history, not time: the newest entry weighs 1.
    """
    if half_life is None:
        return np.ones(len(age_ranks), dtype=np.float32)
    decay = np.exp2(-age_ranks / half_life)
    return (RECENCY_FLOOR + (1.0 - RECENCY_FLOOR) * decay).astype(np.float32)


def history_weights(history: History, signal: str, half_life: float | None) -> Float32:
    """The weight of each entry, float32 ``(len(history),)``; 0 where the signal says nothing."""
    return signal_values(history.values, signal) * recency_weights(history.age_ranks, half_life)
