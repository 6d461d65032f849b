"""One split measured: a value by viewer for each measure, and the lists themselves."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from apps.algorithms import metrics
from apps.algorithms.evaluation.facts import FilmFacts, liked_films, unexpected_films
from apps.algorithms.evaluation.lists import ListMaker
from apps.algorithms.types import Float64, Int64, Interactions


@dataclass(frozen=True)
class Measured:
    """``users`` int64 ``(n,)``; each of ``values`` float64 ``(n,)``, NaN where a measure has no value.

    ``lists`` holds the first ``k`` films of each viewer. ``n_seen`` counts films on lists that their
    viewer is known to have rated: anything but 0 is a mistake of whatever made the lists.
    """

    k: int
    facts: FilmFacts
    users: Int64
    values: Mapping[str, Float64]
    lists: Sequence[Sequence[int]]
    n_seen: int


def measure(
    maker: ListMaker,
    known: Interactions,
    test: Interactions,
    facts: FilmFacts,
    *,
    k: int,
    relevant: float | None,
) -> Measured:
    """Measures ``maker``'s lists of ``k`` on ``test``.

    Viewers with a rating in ``known``, which is what the lists are made from, and a relevant film in
    ``test`` are measured. Test films that nobody rated in the part behind ``facts`` are dropped.
    ``relevant`` is the rating from which on a test film counts as a hit; None counts every one. Raises
    ``ValueError`` when the two differ in shape or ``k`` is not from 1 to the number of films.
    """
    if known.ratings.shape != test.ratings.shape:
        raise ValueError("known and test must be two parts of the same ratings")
    if not 1 <= k <= max(known.n_items, 1):
        raise ValueError(f"k must be from 1 to the number of films, {known.n_items}, not {k}")
    wanted = relevant_films(known, test, facts, relevant)
    histories = [known.history(user) for user in wanted]
    deep = [films.tolist() for films in maker.lists(histories, excluded=facts.is_cold, n=2 * k)]
    rows = [
        _values(films, relevant_films, liked_films(known, user), facts, k)
        for (user, relevant_films), films in zip(wanted.items(), deep, strict=True)
    ]
    heads = [films[:k] for films in deep]
    return Measured(
        k=k,
        facts=facts,
        users=np.array(list(wanted), dtype=np.int64),
        values=_columns(rows),
        lists=heads,
        n_seen=sum(
            len(set(history.items.tolist()).intersection(films))
            for history, films in zip(histories, deep, strict=True)
        ),
    )


def ndcg_by_viewer(
    maker: ListMaker,
    known: Interactions,
    wanted: Mapping[int, Set[int]],
    facts: FilmFacts,
    *,
    k: int,
) -> Float64:
    """The nDCG alone of lists of ``k``, as ``measure`` has it, of the viewers of ``wanted`` in their order.

    float64 ``(len(wanted),)``. ``wanted`` are ``relevant_films`` or a part of them, none without a film.
    """
    histories = [known.history(user) for user in wanted]
    lists = maker.lists(histories, excluded=facts.is_cold, n=k)
    values = [
        metrics.ndcg_at_k(films.tolist(), relevant, k)
        for films, relevant in zip(lists, wanted.values(), strict=True)
    ]
    return np.array(values, dtype=np.float64)


def relevant_films(
    known: Interactions, test: Interactions, facts: FilmFacts, relevant: float | None
) -> dict[int, set[int]]:
    """The films to find, by row of each viewer whom ``measure`` measures; ascending."""
    warm = ~facts.is_cold
    wanted: dict[int, set[int]] = {}
    held = test.ratings
    for user in np.flatnonzero(np.diff(known.ratings.indptr)):
        row = slice(held.indptr[user], held.indptr[user + 1])
        films = held.indices[row]
        hits = warm[films] if relevant is None else warm[films] & (held.data[row] >= relevant)
        if hits.any():
            wanted[int(user)] = set(films[hits].tolist())
    return wanted


def _values(
    films: list[int], relevant: set[int], liked: Int64, facts: FilmFacts, k: int
) -> dict[str, float | None]:
    """Every measure of one viewer's list."""
    head = films[:k]
    unexpected = unexpected_films(facts, liked, head)
    return {
        "ndcg": metrics.ndcg_at_k(head, relevant, k),
        "precision": metrics.precision_at_k(head, relevant, k),
        "recall": metrics.recall_at_k(head, relevant, k),
        "recall_at_2k": metrics.recall_at_k(films, relevant, 2 * k),
        "average_precision": metrics.average_precision_at_k(head, relevant, k),
        "reciprocal_rank": metrics.reciprocal_rank(head, relevant, k),
        "hit_rate": metrics.hit_rate_at_k(head, relevant, k),
        "novelty": metrics.novelty(head, facts.counts, facts.n_users),
        "popularity_rank": metrics.popularity_rank(head, facts.counts),
        "tail_share": metrics.long_tail_share(head, facts.in_tail),
        "intra_list_diversity": metrics.intra_list_diversity(range(len(head)), facts.dense(head)),
        "primary_genres": metrics.distinct_groups(head, facts.primary_genre),
        "serendipity": metrics.serendipity(head, relevant, set(head) - unexpected),
        "long_tail_share": metrics.long_tail_share(head, facts.is_long_tail),
        "niche_share": metrics.long_tail_share(head, facts.is_niche),
    }


def _columns(rows: Sequence[Mapping[str, float | None]]) -> dict[str, Float64]:
    names = rows[0] if rows else ()
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
