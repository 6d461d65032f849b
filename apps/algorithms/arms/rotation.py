"""Films that were seldom shown lately, so that lists rotate."""

import numpy as np

from apps.algorithms.types import Float32, Int64


def freshness(n_shown: Int64) -> Float32:
    """1 for a film that was not shown lately, towards 0 the oftener it was; float32 ``(n_items,)``.

    ``1 / sqrt(1 + shown)``: bounded, so that a weight of it cannot outdo more than so much relevance, and
    steepest at the first times, so that a film gives way once it was shown a little. All films are equally
    fresh, at 0, while none was shown.
    """
    if not n_shown.any():
        return np.zeros(len(n_shown), dtype=np.float32)
    return np.asarray(1.0 / np.sqrt(1.0 + n_shown), dtype=np.float32)
