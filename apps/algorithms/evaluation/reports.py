"""Means over viewers and measures over all lists, of one split or of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from apps.algorithms import metrics
from apps.algorithms.evaluation.measuring import Measured
from apps.algorithms.types import Float64, Int64


@dataclass(frozen=True)
class Mean:
    """A mean over viewers with its standard error, which is None for a single viewer."""

    value: float
    error: float | None


@dataclass(frozen=True)
class Report:
    """What was measured; lists hold the first ``k`` films unless a name says otherwise.

    ndcg, precision, recall, recall_at_2k, average_precision, reciprocal_rank, hit_rate, novelty,
    popularity_rank, intra_list_diversity
        See ``apps.algorithms.metrics``; means over viewers. Diversity is by the catalogue's terms and
        genres.
    serendipity
        Share of a list that is relevant and unlike what the viewer liked (``unexpected_films``).
    tail_share, long_tail_share, niche_share
        Share of a list outside the head; by the catalogue's rule of long tail; niche. The last two are
        None where the flags are not known.
    primary_genres
        Distinct primary genres in a list.
    coverage, gini, personalization
        Over all lists of a split; ``coverage`` is a share of the whole catalogue.
    n_users
        Viewers measured.
    n_seen
        Films on lists that their viewer had rated before: 0 unless something is wrong.
    users, ndcg_by_user
        The viewers' rows, int64 ``(n_users,)`` ascending, and their nDCG, for paired comparisons.

    A measure without a value, as all are without viewers, is None. Over several splits a viewer counts
    once, with the mean of their values, so that standard errors are clustered by viewer.
    """

    k: int
    n_users: int
    n_seen: int
    ndcg: Mean | None
    precision: Mean | None
    recall: Mean | None
    recall_at_2k: Mean | None
    average_precision: Mean | None
    reciprocal_rank: Mean | None
    hit_rate: Mean | None
    novelty: Mean | None
    popularity_rank: Mean | None
    tail_share: Mean | None
    long_tail_share: Mean | None
    niche_share: Mean | None
    intra_list_diversity: Mean | None
    primary_genres: Mean | None
    serendipity: Mean | None
    coverage: float | None
    gini: float | None
    personalization: float | None
    users: Int64 = field(repr=False, compare=False)
    ndcg_by_user: Float64 = field(repr=False, compare=False)


MEANS = (
    "ndcg",
    "precision",
    "recall",
    "recall_at_2k",
    "average_precision",
    "reciprocal_rank",
    "hit_rate",
    "novelty",
    "popularity_rank",
    "tail_share",
    "long_tail_share",
    "niche_share",
    "intra_list_diversity",
    "primary_genres",
    "serendipity",
)
"""The fields of a report that are means over viewers."""


def report(measured: Sequence[Measured]) -> Report:
    """One report of one or several splits of the same ratings. Raises ``ValueError`` for none."""
    if not measured:
        raise ValueError("a report needs at least one split")
    users = np.unique(np.concatenate([one.users for one in measured]))
    by_user = {name: _by_user(measured, name, users) for name in MEANS}
    return Report(
        k=measured[0].k,
        n_users=len(users),
        n_seen=sum(one.n_seen for one in measured),
        **{name: _mean(values) for name, values in by_user.items()},
        coverage=_over_lists(measured, lambda one: metrics.coverage(one.lists, one.facts.n_items)),
        gini=_over_lists(measured, lambda one: metrics.gini(_exposure(one))),
        personalization=_over_lists(measured, lambda one: metrics.personalization(one.lists)),
        users=users,
        ndcg_by_user=by_user["ndcg"],
    )


def _by_user(measured: Sequence[Measured], name: str, users: Int64) -> Float64:
    """The mean of each viewer's values, float64 ``(len(users),)``, NaN for a viewer without any."""
    sums, counts = np.zeros(len(users)), np.zeros(len(users))
    for one in measured:
        values = one.values.get(name, np.full(len(one.users), np.nan))
        known = ~np.isnan(values)
        spots = np.searchsorted(users, one.users[known])
        sums[spots] += values[known]
        counts[spots] += 1
    means: Float64 = np.divide(sums, counts, out=np.full(len(users), np.nan), where=counts > 0)
    return means


def _mean(values: Float64) -> Mean | None:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return None
    error = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else None
    return Mean(value=float(known.mean()), error=error)


def _over_lists(measured: Sequence[Measured], measure: Callable[[Measured], float | None]) -> float | None:
    values = [value for one in measured if (value := measure(one)) is not None]
    return float(np.mean(values)) if values else None


def _exposure(one: Measured) -> Int64:
    """How many lists each film stands in."""
    films = np.fromiter(chain.from_iterable(one.lists), dtype=np.int64)
    return np.bincount(films, minlength=one.facts.n_items)
