"""How good an arm's lists are, measured on ratings held back.

Full ranking: every film of the catalogue that anybody rated in ``train`` is a candidate, less those
the viewer rated in ``train``. Test films nobody rated in ``train`` are dropped, since no arm that
learns from ratings could find them.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from apps.algorithms import metrics
from apps.algorithms.base import Recommender
from apps.algorithms.top import top_items
from apps.algorithms.types import LIKED_FROM, Bool, Float32, Float64, Int64, Interactions

BATCH = 256


@dataclass(frozen=True)
class Mean:
    """A mean over viewers with its standard error, which is None for a single viewer."""

    value: float
    error: float | None


@dataclass(frozen=True)
class Report:
    """What ``evaluate`` measured; lists hold the first ``k`` films unless a name says otherwise.

    ndcg, precision, recall, recall_at_2k, average_precision, reciprocal_rank, hit_rate
        See ``apps.algorithms.metrics``.
    coverage, gini, personalization
        Over all lists; ``coverage`` is a share of the whole catalogue.
    novelty, intra_list_diversity
        Bits per film, and 1 - cosine of genres; means over viewers.
    n_users
        Viewers measured: those with a rating in ``train`` and a relevant film in ``test``.
    users, ndcg_by_user
        The viewers' rows, int64 ``(n_users,)``, and their nDCG, for paired comparisons.

    A measure without a value, as all are without viewers, is None.
    """

    k: int
    relevant: float | None
    n_users: int
    ndcg: Mean | None
    precision: Mean | None
    recall: Mean | None
    recall_at_2k: Mean | None
    average_precision: Mean | None
    reciprocal_rank: Mean | None
    hit_rate: Mean | None
    coverage: float | None
    gini: float | None
    personalization: float | None
    novelty: Mean | None
    intra_list_diversity: Mean | None
    users: Int64 = field(repr=False, compare=False)
    ndcg_by_user: Float64 = field(repr=False, compare=False)


def evaluate(
    model: Recommender,
    train: Interactions,
    test: Interactions,
    k: int = 10,
    relevant: float | None = LIKED_FROM,
) -> Report:
    """Measure a fitted ``model``, which has seen nothing but ``train``, on ``test``.

    ``relevant`` is the rating from which on a test film counts as a hit; None counts every test film.
    An arm that returns a row of zeros places nothing for that viewer and misses. Raises
    ``ValueError`` when the two parts differ in shape or ``k`` is below 1.
    """
    if train.ratings.shape != test.ratings.shape:
        raise ValueError("train and test must be two parts of the same ratings")
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    wanted = _relevant_films(train, test, relevant)
    users = np.array(list(wanted), dtype=np.int64)
    lists = [films for batch in _batches(users) for films in _lists(model, train, batch, 2 * k)]
    return _report(train, lists, wanted, k=k, relevant=relevant)


def _relevant_films(train: Interactions, test: Interactions, relevant: float | None) -> dict[int, set[int]]:
    """The films to find, by row of each viewer who is measured."""
    warm = _is_warm(train)
    wanted: dict[int, set[int]] = {}
    held, known = test.ratings, train.ratings
    for user in np.flatnonzero(np.diff(known.indptr)):
        row = slice(held.indptr[user], held.indptr[user + 1])
        films = held.indices[row]
        hits = warm[films] if relevant is None else warm[films] & (held.data[row] >= relevant)
        if hits.any():
            wanted[int(user)] = set(films[hits].tolist())
    return wanted


def _is_warm(train: Interactions) -> Bool:
    return _film_counts(train) > 0


def _batches(users: Int64) -> Iterator[Int64]:
    return (users[start : start + BATCH] for start in range(0, len(users), BATCH))


def _lists(model: Recommender, train: Interactions, users: Int64, n: int) -> list[Int64]:
    """The first ``n`` unseen films of each viewer."""
    histories = [train.history(int(user)) for user in users]
    scores = model.scores(histories)
    cold = ~_is_warm(train)
    lists = []
    for row, history in zip(scores, histories, strict=True):
        lists.append(_unseen_top(row, seen=history.items, cold=cold, n=n))
    return lists


def _unseen_top(scores: Float32, *, seen: Int64, cold: Bool, n: int) -> Int64:
    if not scores.any():
        return np.empty(0, dtype=np.int64)
    candidates = np.where(cold, np.float32(-np.inf), scores)
    candidates[seen] = -np.inf
    return top_items(candidates, n)


def _report(
    train: Interactions,
    lists: list[Int64],
    wanted: dict[int, set[int]],
    *,
    k: int,
    relevant: float | None,
) -> Report:
    deep = [films.tolist() for films in lists]
    heads = [films[:k] for films in deep]
    hits = list(wanted.values())
    ndcg = _measure(metrics.ndcg_at_k, heads, hits, k=k)
    counts = _film_counts(train)
    vectors = _genre_vectors(train)
    return Report(
        k=k,
        relevant=relevant,
        n_users=len(wanted),
        ndcg=_mean(ndcg),
        precision=_mean(_measure(metrics.precision_at_k, heads, hits, k=k)),
        recall=_mean(_measure(metrics.recall_at_k, heads, hits, k=k)),
        recall_at_2k=_mean(_measure(metrics.recall_at_k, deep, hits, k=2 * k)),
        average_precision=_mean(_measure(metrics.average_precision_at_k, heads, hits, k=k)),
        reciprocal_rank=_mean(_measure(metrics.reciprocal_rank, heads, hits, k=k)),
        hit_rate=_mean(_measure(metrics.hit_rate_at_k, heads, hits, k=k)),
        coverage=metrics.coverage(heads, train.n_items),
        gini=metrics.gini(_exposure(heads, train.n_items)),
        personalization=metrics.personalization(heads),
        novelty=_mean([metrics.novelty(head, counts, train.n_users) for head in heads]),
        intra_list_diversity=_mean([metrics.intra_list_diversity(head, vectors) for head in heads]),
        users=np.array(list(wanted), dtype=np.int64),
        ndcg_by_user=np.array(ndcg, dtype=np.float64),
    )


def _measure(
    measure: Callable[[Sequence[int], Set[int], int], float | None],
    lists: list[list[int]],
    hits: list[set[int]],
    *,
    k: int,
) -> list[float | None]:
    return [measure(films, relevant, k) for films, relevant in zip(lists, hits, strict=True)]


def _mean(values: list[float | None]) -> Mean | None:
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if len(known) == 0:
        return None
    error = float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else None
    return Mean(value=float(known.mean()), error=error)


def _film_counts(train: Interactions) -> Int64:
    return np.bincount(train.ratings.indices, minlength=train.n_items)


def _exposure(lists: list[list[int]], n_items: int) -> Int64:
    """How many lists each film stands in."""
    films = np.fromiter(chain.from_iterable(lists), dtype=np.int64)
    return np.bincount(films, minlength=n_items)


def _genre_vectors(train: Interactions) -> Float32:
    """Genre rows of length one, zero for a film without genres."""
    genres: Float32 = train.features.genres.toarray().astype(np.float32)
    vectors: Float32 = genres / np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1e-12)
    return vectors
