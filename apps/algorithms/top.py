"""The best films of a row of scores."""

import numpy as np

from apps.algorithms.types import Float32, Int64

# Scores a group at most: their best is found at the speed of memory, and few groups hold one of the best.
_GROUP = 64
# At least so many groups for each film wanted: with fewer the bound is too low to leave much out.
_GROUPS_A_FILM = 2


def top_items(scores: Float32, n: int) -> Int64:
    """Indices of the ``n`` highest finite scores, int64, best first, equal scores by index.

    ``scores`` is float32 ``(n_items,)``; minus infinity marks a film that may not be placed, and NaN
    counts as such a mark. Fewer than ``n`` come back when fewer are finite. O(n_items).
    """
    if n < 1 or len(scores) == 0:
        return np.empty(0, dtype=np.int64)
    finite = np.isfinite(scores)
    masked = scores if finite.all() else np.where(finite, scores, np.float32(-np.inf))
    threshold = _lower_bound(masked, n)
    chosen = np.flatnonzero(finite if threshold == -np.inf else masked >= threshold)
    if len(chosen) > 8 * n:
        chosen = _cut(masked, chosen, n)
    # ``chosen`` ascends, so a stable sort leaves equal scores in order of index.
    order = np.argsort(-masked[chosen], kind="stable")
    return chosen[order][:n].astype(np.int64, copy=False)


def _lower_bound(scores: Float32, n: int) -> float:
    """A score that at least ``n`` films reach: the n-th best of the groups' best. No bound for few films."""
    size = min(_GROUP, len(scores) // (_GROUPS_A_FILM * n))
    if size < 2:
        return -np.inf
    n_groups = len(scores) // size
    # A group is a column, so that each step compares whole rows.
    best = scores[: n_groups * size].reshape(size, n_groups).max(axis=0)
    return float(np.partition(best, n_groups - n)[n_groups - n])


def _cut(scores: Float32, chosen: Int64, n: int) -> Int64:
    """Of ``chosen``, ascending, those above the n-th best and as many level with it as fill up."""
    # From the best down: from below numpy's partition takes ten times as long where most scores are level.
    values = -scores[chosen]
    threshold = np.partition(values, n - 1)[n - 1]
    above = chosen[values < threshold]
    level = chosen[values == threshold][: n - len(above)]
    return np.sort(np.concatenate([above, level]))
