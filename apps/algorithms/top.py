"""The best films of a row of scores."""

import numpy as np

from apps.algorithms.types import Float32, Int64


def top_items(scores: Float32, n: int) -> Int64:
    """Indices of the ``n`` highest finite scores, int64, best first, equal scores by index.

    ``scores`` is float32 ``(n_items,)``; minus infinity marks a film that may not be placed, and NaN
    counts as such a mark. Fewer than ``n`` come back when fewer are finite. O(n_items).
    """
    finite = np.isfinite(scores)
    masked = scores if finite.all() else np.where(finite, scores, np.float32(-np.inf))
    if n < 1 or len(scores) == 0:
        return np.empty(0, dtype=np.int64)
    cut = len(scores) - min(n, len(scores))
    threshold = np.partition(masked, cut)[cut]
    if threshold == -np.inf:
        chosen = np.flatnonzero(finite)
    else:
        above = np.flatnonzero(masked > threshold)
        level = np.flatnonzero(masked == threshold)[: n - len(above)]
        chosen = np.concatenate([above, level])
    # ``above`` and ``level`` ascend, so a stable sort leaves equal scores in order of index.
    order = np.argsort(-masked[chosen], kind="stable")
    return chosen[order][:n].astype(np.int64, copy=False)
