"""Films that were seldom shown lately, so that lists rotate."""

import numpy as np

from apps.algorithms.types import Float32, Int64


def freshness(n_shown: Int64) -> Float32:
    """1 for a film that was not shown lately, down to 0 for the one shown most; float32 ``(n_items,)``.

    ``1 - log(1 + shown) / log(1 + highest)``: bounded, so that a weight of it cannot outdo more than so
    much relevance. All films are equally fresh, at 0, while none was shown.
    """
    logs = np.log1p(n_shown.astype(np.float64))
    highest = float(logs.max(initial=0.0))
    if highest == 0.0:
        return np.zeros(len(n_shown), dtype=np.float32)
    return (1.0 - logs / highest).astype(np.float32)
