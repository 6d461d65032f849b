"""How well known and how well liked a film is, and how divided people are about it."""

import numpy as np
from scipy import sparse

from apps.algorithms.types import Float32, Float64
from apps.algorithms.weights import signal_matrix, signal_values

N_STEPS = 10
"""Half a star to five."""


def signal_counts(ratings: sparse.csr_matrix, signal: str, weights: Float32 | None = None) -> Float64:
    """Each film's summed weights under ``signal``, float64 ``(n_items,)``.

    Here and below ``weights``, aligned with ``ratings.data``, is what each rating counts; None for ones.
    """
    return np.asarray(signal_matrix(ratings, signal, weights).sum(axis=0), dtype=np.float64).ravel()


def people_counts(ratings: sparse.csr_matrix, weights: Float32 | None = None) -> Float64:
    """How many people rated each film, each counting as their rating weighs; float64 ``(n_items,)``."""
    return np.bincount(ratings.indices, weights, minlength=ratings.shape[1]).astype(np.float64)


def bayesian_means(
    ratings: sparse.csr_matrix, prior_weight: float, weights: Float32 | None = None
) -> Float64:
    """Each film's mean in stars, pulled to the mean of all ratings; float64 ``(n_items,)``.

    ``(prior_weight * mean + sum) / (prior_weight + count)``; a film without ratings sits at the
    mean of all, and without any rating at all that is 0. ``prior_weight`` > 0, in ratings.
    """
    stars = ratings.data if weights is None else ratings.data * weights
    total = float(ratings.nnz if weights is None else weights.sum())
    if total == 0:
        return np.zeros(ratings.shape[1])
    sums = np.bincount(ratings.indices, weights=stars, minlength=ratings.shape[1])
    counts = people_counts(ratings, weights)
    return np.asarray((prior_weight * float(stars.sum() / total) + sums) / (prior_weight + counts))


def best_known(
    ratings: sparse.csr_matrix,
    signal: str,
    *,
    prior_weight: float,
    decay: Float64 | None = None,
    weights: Float32 | None = None,
) -> Float64:
    """``log(1 + sum of signal weights)``, films with equal counts in the order of their Bayesian means.

    float64 ``(n_items,)``, at least 0. ``decay``, 0 to 1 and aligned with ``ratings.data``, is what each
    rating still counts.
    """
    # Means are at most 5, so this addend never reorders films whose counts differ by a fifth.
    means = bayesian_means(ratings, prior_weight, weights)
    counted = signal_values(ratings.data, signal) * (1.0 if decay is None else decay)
    if weights is not None:
        counted = counted * weights
    counts = np.bincount(ratings.indices, counted, minlength=ratings.shape[1])
    return np.asarray(np.log1p(counts + means / 26.0))


def rating_entropy(ratings: sparse.csr_matrix) -> Float32:
    """How divided people are about each film, float32 ``(n_items,)`` from 0 to log 10.

    The Shannon entropy of its stars in nats, ``-sum p log p`` over the ten half-star steps: 0 when all
    gave the same, or nobody any. A value off the scale counts as its end. What a newcomer says of a
    film that all agree on tells little of them (Rashid et al., "Getting to Know You", IUI 2002).
    """
    n_items = ratings.shape[1]
    steps = np.clip(np.rint(ratings.data * 2) - 1, 0, N_STEPS - 1).astype(np.int64)
    counts = np.bincount(ratings.indices * N_STEPS + steps, minlength=n_items * N_STEPS)
    counts = counts.reshape(n_items, N_STEPS).astype(np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.abs((shares * logs).sum(axis=1)), dtype=np.float32)


def popularity(ratings: sparse.csr_matrix, weights: Float32 | None = None) -> Float32:
    """Popularity from 0 (nobody liked it) to 1 (the most liked film), float32 ``(n_items,)``.

    The logarithm of the number of people who liked the film, scaled. An addend that decides among
    films that an arm cannot tell apart.
    """
    logs = np.log1p(signal_counts(ratings, "liked", weights))
    return (logs / max(float(logs.max(initial=0.0)), 1e-12)).astype(np.float32)
