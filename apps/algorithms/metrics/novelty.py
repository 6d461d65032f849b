"""How far one list leads away from what everybody sees.

Every measure is None for an empty list.
"""

from collections.abc import Sequence, Set

import numpy as np
import numpy.typing as npt

from apps.algorithms.types import Bool, Int64


def novelty(recommended: Sequence[int], counts: npt.ArrayLike, n_users: int) -> float | None:
    """Mean self-information of the list's films in bits: -log2(viewers of the film / ``n_users``).

    ``counts`` ``(n_items,)`` is how many of the ``n_users`` viewers rated each film; a film that nobody
    rated counts as rated once, as its information would be infinite. Raises ``ValueError`` when a
    count exceeds ``n_users``. Source: Zhou et al., PNAS 2010 (surprisal).
    """
    viewers = np.asarray(counts, dtype=np.float64)
    if n_users < 1 or np.any(viewers > n_users) or np.any(viewers < 0):
        raise ValueError("counts must lie between 0 and the number of viewers, of whom there is at least one")
    if not len(recommended):
        return None
    share = np.maximum(viewers[_indices(recommended)], 1) / n_users
    return float(np.mean(np.log2(1 / share)))


def popularity_rank(recommended: Sequence[int], counts: npt.ArrayLike) -> float | None:
    """Mean place of the list's films when the catalogue is ordered by ``counts``: 1 is the most popular.

    Films with equal counts share the mean of their places.
    """
    if not len(recommended):
        return None
    ascending = np.sort(np.asarray(counts, dtype=np.float64))
    chosen = np.asarray(counts, dtype=np.float64)[_indices(recommended)]
    more = len(ascending) - np.searchsorted(ascending, chosen, side="right")
    at_least = len(ascending) - np.searchsorted(ascending, chosen, side="left")
    return float(np.mean((more + at_least + 1) / 2))


def long_tail_share(recommended: Sequence[int], is_long_tail: Bool) -> float | None:
    """Share of the list's films that are long tail; ``is_long_tail`` is bool ``(n_items,)``."""
    if not len(recommended):
        return None
    return float(np.mean(is_long_tail[_indices(recommended)]))


def serendipity(recommended: Sequence[int], relevant: Set[int], expected: Set[int]) -> float | None:
    """Share of the list's films that are relevant and that a primitive recommender would not have shown.

    ``expected`` holds the films of the primitive recommender's list, usually the most popular ones.
    Source: Ge, Delgado-Battenfeld and Jannach, Beyond Accuracy, RecSys 2010, equation 4.
    """
    if not len(recommended):
        return None
    return sum(item in relevant and item not in expected for item in recommended) / len(recommended)


def _indices(recommended: Sequence[int]) -> Int64:
    return np.asarray(recommended, dtype=np.int64)
