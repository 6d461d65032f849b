"""How much of the catalogue lists use, and how different films and lists are."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from apps.algorithms.types import Float32


def coverage(lists: Sequence[Sequence[int] | npt.NDArray[np.int64]], n_items: int) -> float | None:
    """Share of the catalogue's ``n_items`` films that stand in at least one list.

    None without lists. Raises ``ValueError`` for an empty catalogue or a film outside it. Source:
    catalogue coverage of Ge, Delgado-Battenfeld and Jannach, Beyond Accuracy, RecSys 2010.
    """
    if n_items < 1:
        raise ValueError("coverage needs a catalogue of at least one film")
    if not len(lists):
        return None
    shown = np.unique(np.concatenate([np.asarray(films, dtype=np.int64) for films in lists]))
    if len(shown) and (shown[0] < 0 or shown[-1] >= n_items):
        raise ValueError(f"a list holds a film outside the catalogue of {n_items}")
    return len(shown) / n_items


def gini(counts: npt.ArrayLike) -> float | None:
    """How unequally exposure is spread: 0 when every film is shown as often, near 1 for one film.

    ``counts`` holds one non-negative number for *every* film of the catalogue, zeros included. None
    when nothing was shown. Raises ``ValueError`` for negative or non-finite counts. Source: Gunawardana
    et al. 2022, sales diversity: G = Σ (2j - n - 1) x_j / (n Σ x_j), x ascending, j from 1.
    """
    ascending = np.sort(np.asarray(counts, dtype=np.float64))
    if not np.isfinite(ascending).all() or np.any(ascending < 0):
        raise ValueError("counts must be finite and not negative")
    total, n = float(ascending.sum()), len(ascending)
    if total == 0:
        return None
    return float((2 * np.arange(1, n + 1) - n - 1) @ ascending / (n * total))


def intra_list_diversity(recommended: Sequence[int], vectors: Float32) -> float | None:
    """Mean of 1 - cosine over all pairs of one list's films, in 0 to 2; None below two films.

    ``vectors`` is float32 ``(n_items, d)`` with rows of length one; a film without a vector (a zero
    row) is unlike every other. Source: Ziegler et al., Improving Recommendation Lists Through Topic
    Diversification, WWW 2005, as a distance.
    """
    n = len(recommended)
    if n < 2:
        return None
    chosen = vectors[np.asarray(recommended, dtype=np.int64)].astype(np.float64)
    total = chosen.sum(axis=0)
    # Σ over ordered pairs of v_i·v_j is |Σ v|² less the n squares.
    pairs = float(total @ total) - float((chosen * chosen).sum())
    return 1 - pairs / (n * (n - 1))


def personalization(lists: Sequence[Sequence[int] | npt.NDArray[np.int64]]) -> float | None:
    """How different two viewers' lists are: 1 when no two share a film, 0 when all are the same.

    Mean over all pairs of lists of 1 - |A ∩ B| / sqrt(|A||B|), which for lists of one length is the
    inter-list distance of Zhou et al., Solving the apparent diversity-accuracy dilemma, PNAS 2010.
    Empty lists are left out; None below two lists. Films within a list are unique.
    """
    filled = [np.asarray(films, dtype=np.int64) for films in lists if len(films)]
    n = len(filled)
    if n < 2:
        return None
    weights = np.concatenate([np.full(len(films), len(films) ** -0.5) for films in filled])
    _, columns = np.unique(np.concatenate(filled), return_inverse=True)
    total = np.bincount(columns, weights=weights)
    return float(1 - (total @ total - n) / (n * (n - 1)))


def distinct_groups(recommended: Sequence[int], group_of: npt.NDArray[np.int32]) -> float | None:
    """How many groups one list's films fall into, for example primary genres; None for an empty list.

    ``group_of`` is int32 ``(n_items,)``; films of group -1 belong to none and are not counted.
    """
    if not len(recommended):
        return None
    groups = group_of[np.asarray(recommended, dtype=np.int64)]
    return float(len(np.unique(groups[groups >= 0])))
