"""Measures of recommendation lists and of predicted ratings.

A list is a sequence of film indices, best first. A measure that has no value for its input (nothing
relevant, an empty list, a single viewer) is None, never NaN; input that makes no sense raises
``ValueError``.
"""

from apps.algorithms.metrics.accuracy import mae, rmse
from apps.algorithms.metrics.diversity import (
    coverage,
    distinct_groups,
    gini,
    intra_list_diversity,
    personalization,
)
from apps.algorithms.metrics.novelty import long_tail_share, novelty, popularity_rank, serendipity
from apps.algorithms.metrics.ranking import (
    average_precision_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank,
)

__all__ = [
    "average_precision_at_k",
    "coverage",
    "distinct_groups",
    "gini",
    "hit_rate_at_k",
    "intra_list_diversity",
    "long_tail_share",
    "mae",
    "ndcg_at_k",
    "novelty",
    "personalization",
    "popularity_rank",
    "precision_at_k",
    "recall_at_k",
    "reciprocal_rank",
    "rmse",
    "serendipity",
]
