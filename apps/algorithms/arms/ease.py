"""EASE: a linear autoencoder over films with a closed form."""

from collections.abc import Iterator

import numpy as np
from scipy import linalg, sparse

from apps.algorithms.arms.film_weights import FilmWeights, Patch
from apps.algorithms.matrices import product_blocks, row_blocks
from apps.algorithms.types import Float32, Float64

_FEW_PEOPLE = 0.6
"""With more people than this share of the films, inverting the films' side is faster, measured."""


def ease_weights(matrix: sparse.csr_matrix, l2: float) -> tuple[Float32, Float64]:
    """Weights from film to film, float32 ``(n_items, n_items)``, row the source, column the target, and the
    diagonal of ``P``, float64 ``(n_items,)``, from which with the weights all of ``P`` follows.

    ``B_ij = -P_ij / P_jj`` with ``P = (X'X + l2 I)^-1`` and a zero diagonal (Steck 2019, eq. 8).
    ``X`` is ``matrix``, people by films. The cheaper side is inverted: with far fewer people than films
    Woodbury's identity gives ``P = (I - X'(XX' + l2 I)^-1 X) / l2`` exactly. All entries are kept:
    the many weak ones of a row together matter to a list (see ``docs/decisions/0002``). Takes
    ``4 * n_items ** 2`` bytes for the result, and for the way there ``8 * n_items ** 2``, or with few
    people some ``20 * n_users * n_items``.
    """
    n_users, n_items = matrix.shape
    weights = np.zeros((n_items, n_items), dtype=np.float32)
    if matrix.nnz == 0:
        return weights, np.full(n_items, 1.0 / l2)
    by = _targets_by_people if n_users < _FEW_PEOPLE * n_items else _targets_by_films
    diagonal, blocks = by(matrix, l2)
    start = 0
    for block in blocks:
        weights[:, start : start + len(block)] = block.T
        start += len(block)
    return weights, diagonal


def updated_ease(
    weights: FilmWeights, diagonal: Float64, was: sparse.csr_matrix, now: sparse.csr_matrix
) -> tuple[Patch, Float64]:
    """What some people's other ratings make of the weights, and of the diagonal of ``P``.

    ``was`` and ``now`` are the rows of ``X`` that differ, ``(n_people, n_items)``: with ``D = [now' was']``
    and ``S`` its signs, ``P' = P - P D (S + D'P D)^-1 D'P`` (Woodbury), exact but for the rounding of
    float32. Costs the ratings of these people times all films, and adds twice their number to the rank.
    """
    changed = sparse.vstack([now, was], format="csr").astype(np.float32)
    signs = np.repeat([1.0, -1.0], [now.shape[0], was.shape[0]])
    # P_ij = -B_ij P_jj off the diagonal, where B has nothing.
    reached = -weights.led(changed)
    reached[changed.nonzero()] += changed.data
    reached *= diagonal.astype(np.float32)
    system = np.diag(signs) + (changed @ reached.T).astype(np.float64)
    left = np.linalg.solve(system, reached.astype(np.float64)).astype(np.float32).T
    after = diagonal - np.einsum("ij,ji->i", left, reached, dtype=np.float64)
    ratio = (diagonal / after).astype(np.float32)
    right = reached.T / after.astype(np.float32)[:, None]
    return weights.patched(left, right, ratio), after


def _targets_by_people(matrix: sparse.csr_matrix, l2: float) -> tuple[Float64, Iterator[Float32]]:
    """The diagonal of ``P``, and blocks of rows of ``B'``."""
    wide = matrix.astype(np.float64)
    gram = _gram(wide)
    gram.flat[:: len(gram) + 1] += l2
    half = linalg.solve_triangular(np.linalg.cholesky(gram), wide.toarray(), lower=True)
    # P = (I - half'half) / l2, and l2 cancels in P_ij / P_jj.
    scales = 1.0 / (1.0 - np.einsum("ij,ij->j", half, half))
    targets = (half * scales).astype(np.float32)
    narrow = half.astype(np.float32)
    blocks = (
        _without_diagonal(targets[:, rows].T @ narrow, rows.start) for rows in row_blocks(half.shape[1])
    )
    return 1.0 / (l2 * scales), blocks


def _targets_by_films(matrix: sparse.csr_matrix, l2: float) -> tuple[Float64, Iterator[Float32]]:
    """The diagonal of ``P``, and blocks of rows of ``B'``."""
    wide = matrix.astype(np.float64)
    gram = _gram(sparse.csr_matrix(wide.T))
    gram.flat[:: len(gram) + 1] += l2
    inverse = inverse_of(gram)
    diagonal = np.diag(inverse).copy()
    scales = -1.0 / diagonal
    blocks = (
        _without_diagonal((inverse[rows] * scales[rows, None]).astype(np.float32), rows.start)
        for rows in row_blocks(len(inverse))
    )
    return diagonal, blocks


def _gram(rows: sparse.csr_matrix) -> Float64:
    """``rows @ rows.T``, dense."""
    gram = np.empty((rows.shape[0], rows.shape[0]))
    for spots, block in product_blocks(rows, sparse.csr_matrix(rows.T)):
        gram[spots] = block
    return gram


def inverse_of(gram: Float64) -> Float64:
    """The inverse of a symmetric positive definite matrix, in the memory of ``gram``.

    A symmetric matrix reads the same transposed, and LAPACK works in place on Fortran order only.
    """
    factor, _ = linalg.lapack.dpotrf(gram.T, lower=1, overwrite_a=1)
    inverse, _ = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    for rows in row_blocks(len(inverse)):
        square = np.tril(inverse[rows, rows])
        inverse[rows, rows] = square + np.tril(square, -1).T
        inverse[rows, rows.stop :] = inverse[rows.stop :, rows].T
    return np.asarray(inverse)


def _without_diagonal(block: Float32, start: int) -> Float32:
    rows = np.arange(len(block))
    block[rows, start + rows] = 0.0
    return block
