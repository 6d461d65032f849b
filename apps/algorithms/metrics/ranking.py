"""How well the top of one list hits the films a viewer cares about.

Every measure takes ``(recommended, relevant, k)``, looks at the first ``k`` films and is in 0 to 1.
It is None when ``relevant`` is empty, because nothing could have been hit, and 0 when the list is
empty. A list shorter than ``k`` is scored as if the missing places had missed. A film that stands
in the list twice counts at its first place only. ``k`` below 1 raises ``ValueError``.

Source of the definitions: Gunawardana, Shani and Yogev, Evaluating Recommender Systems, in the
Recommender Systems Handbook (3rd ed. 2022); nDCG after Järvelin and Kekäläinen, Cumulated
Gain-Based Evaluation of IR Techniques, TOIS 20(4), 2002.
"""

from collections.abc import Sequence, Set
from math import log2


def precision_at_k(recommended: Sequence[int], relevant: Set[int], k: int) -> float | None:
    """Share of the first ``k`` places that hold a relevant film: hits / k."""
    places = _hit_places(recommended, relevant, k)
    return len(places) / k if relevant else None


def recall_at_k(recommended: Sequence[int], relevant: Set[int], k: int) -> float | None:
    """Share of the relevant films found in the first ``k`` places: hits / |relevant|."""
    places = _hit_places(recommended, relevant, k)
    return len(places) / len(relevant) if relevant else None


def ndcg_at_k(recommended: Sequence[int], relevant: Set[int], k: int) -> float | None:
    """Discounted cumulative gain over that of the best possible list.

    Binary gain, discount 1 / log2(place + 1) with places from 1; the best list holds
    min(k, |relevant|) hits at its head.
    """
    places = _hit_places(recommended, relevant, k)
    if not relevant:
        return None
    return _dcg(places) / _dcg(list(range(1, min(k, len(relevant)) + 1)))


def average_precision_at_k(recommended: Sequence[int], relevant: Set[int], k: int) -> float | None:
    """Precision at each hit's place, summed, over min(k, |relevant|)."""
    places = _hit_places(recommended, relevant, k)
    if not relevant:
        return None
    return sum(hits / place for hits, place in enumerate(places, start=1)) / min(k, len(relevant))


def reciprocal_rank(recommended: Sequence[int], relevant: Set[int], k: int | None = None) -> float | None:
    """One over the place of the first hit, 0 without a hit; the whole list when ``k`` is None."""
    places = _hit_places(recommended, relevant, max(len(recommended), 1) if k is None else k)
    if not relevant:
        return None
    return 1 / places[0] if places else 0.0


def hit_rate_at_k(recommended: Sequence[int], relevant: Set[int], k: int) -> float | None:
    """1 when at least one relevant film is in the first ``k`` places, else 0."""
    places = _hit_places(recommended, relevant, k)
    return float(bool(places)) if relevant else None


def _hit_places(recommended: Sequence[int], relevant: Set[int], k: int) -> list[int]:
    """Ascending places, counted from 1, of the relevant films among the first ``k``."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    first_places: dict[int, int] = {}
    for place, item in enumerate(recommended[:k], start=1):
        if item in relevant:
            first_places.setdefault(item, place)
    return list(first_places.values())


def _dcg(places: list[int]) -> float:
    return sum(1 / log2(place + 1) for place in places)
