"""One vector of a film's text and poster."""

import numpy as np

from apps.algorithms.types import Float32


def combine(text: Float32, posters: Float32, poster_weight: float) -> Float32:
    """Rows of both side by side, float32 ``(n, d_text + d_posters)``, of length one or zero.

    The cosine of two films that have both is ``(1 - w) * cosine of texts + w * cosine of posters``
    with ``w = poster_weight`` from 0 to 1. A film without a poster goes by its text alone, and one
    without a text by its poster: that half has length one and the other is zero. Both inputs have rows
    of length one or zero, and may have no columns.
    """
    both = np.hstack([text * np.sqrt(1.0 - poster_weight), posters * np.sqrt(poster_weight)])
    lonely = ~(text.any(axis=1) & posters.any(axis=1))
    both[lonely] = np.hstack([text[lonely], posters[lonely]])
    return np.ascontiguousarray(both, dtype=np.float32)
