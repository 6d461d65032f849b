"""Which films are unlike those that a viewer liked."""

import numpy as np
from scipy import sparse

from apps.algorithms.types import Bool, Float32, Int64


def is_unexpected(vectors: sparse.csr_matrix, films: Int64, liked: Int64) -> Bool:
    """Whether each of ``films`` is unlike those of ``liked``, bool ``(len(films),)``.

    A film's closeness is its cosine to the nearest liked one; what is usual for the viewer is the median
    closeness of a liked film to its nearest other one. Films below that are unexpected (after Adamopoulos
    and Tuzhilin, TIST 2014). Whoever liked fewer than two films has no such measure: nothing is unexpected.
    ``vectors`` has unit rows, CSR ``(n_items, d)``.
    """
    if len(liked) < 2 or len(films) == 0:
        return np.zeros(len(films), dtype=np.bool_)
    closeness, usual = closeness_of(vectors, films, liked)
    is_below: Bool = closeness < usual
    return is_below


def closeness_of(vectors: sparse.csr_matrix, films: Int64, liked: Int64) -> tuple[Float32, float]:
    """Each film's closeness, float32 ``(len(films),)``, and what is usual; ``liked`` holds two or more."""
    # One product for both: scipy spends more on each than the product itself takes.
    rows = vectors[np.concatenate([films, liked])]
    alike = (rows @ rows[len(films) :].T).toarray()
    among = alike[len(films) :]
    np.fill_diagonal(among, -np.inf)
    return alike[: len(films)].max(axis=1), float(np.median(among.max(axis=1)))
