"""Films watched by the same people, as sparse BM25 neighbours computed by ``implicit``."""

import numpy as np
from scipy import sparse

from apps.algorithms.matrices import empty_csr


def bm25_neighbours(matrix: sparse.csr_matrix, keep: int, *, k1: float, b: float) -> sparse.csr_matrix:
    """Similarities of films, CSR ``(n_items, n_items)`` with at most ``keep`` neighbours a row.

    Rows of films are weighted by BM25 with people as terms, ``idf(u) (k1 + 1) x / (k1 norm(i) + x)``
    (Robertson and Zaragoza 2009), and multiplied; a film is no neighbour of itself.
    """
    n_items = matrix.shape[1]
    if matrix.nnz == 0:
        return empty_csr(n_items, n_items)
    # Here, because a process that only serves never needs it.
    from implicit.nearest_neighbours import all_pairs_knn, bm25_weight

    weighted = sparse.csr_matrix(bm25_weight(matrix.T, k1, b).T)
    found = all_pairs_knn(weighted, min(keep + 1, n_items), show_progress=False)
    others = np.flatnonzero((found.row != found.col) & (found.data != 0.0))
    cells = (found.row[others], found.col[others])
    return sparse.csr_matrix((found.data[others].astype(np.float32), cells), shape=(n_items, n_items))
