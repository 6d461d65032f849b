"""What a version learnt from, as counts that what is rated later is held against."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.algorithms.types import Bool, Float64, Int64, Interactions, ItemFeatures

FORMAT = 1
RATINGS, GENRES, DECADES = "ratings", "rated_genres", "rated_decades"
LONG_TAIL, NICHE = "rated_long_tail", "rated_niche"
SUBJECTS = (RATINGS, GENRES, DECADES, LONG_TAIL, NICHE)
STARS = tuple(f"{half / 2:.1f}" for half in range(1, 11))
OTHER = "other"
"""The bin of a film without the feature, or of one that training did not see."""
YES = "yes"
_DECADE = "decade:"


def baseline_of(interactions: Interactions) -> dict[str, Any]:
    """JSON, some kilobytes: how many explicit ratings are of each bin, by ``SUBJECTS`` and bin.

    ``ratings`` counts stars by halves, the others by features of the films rated: primary genre, decade,
    long tail, niche. ``n`` is how many ratings there are, and ``sum_squares`` that of the ratings a person.
    O(ratings).
    """
    ratings, features = interactions.explicit.ratings, interactions.features
    per_film = np.bincount(ratings.indices, minlength=interactions.n_items).astype(np.int64)
    per_person = np.diff(ratings.indptr).astype(np.float64)
    return {
        "format": FORMAT,
        "n": int(ratings.nnz),
        "sum_squares": float(per_person @ per_person),
        RATINGS: _stars(ratings.data),
        GENRES: _genres(features, per_film),
        DECADES: _decades(features, per_film),
        LONG_TAIL: _flag(features.is_long_tail, per_film),
        NICHE: _flag(features.is_niche, per_film),
    }


def read_baseline(metrics: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What ``baseline_of`` left in a version's metrics; None of a version fitted before there was one."""
    found: Mapping[str, Any] | None = metrics.get("baseline")
    return found if found is not None and found.get("format") == FORMAT else None


def decade_name(decade: int | None) -> str:
    """The bin of a film by its year over ten, None for one whose year is unknown: ``1990``."""
    return str(decade * 10) if decade else OTHER


def _stars(values: Any) -> dict[str, int]:
    halves = np.clip(np.rint(values * 2) - 1, 0, len(STARS) - 1).astype(np.int64)
    counts = np.bincount(halves, minlength=len(STARS))
    return dict(zip(STARS, counts.tolist(), strict=True))


def _genres(features: ItemFeatures, per_film: Int64) -> dict[str, int]:
    # Column -1, of a film without one, becomes the last.
    names = (*features.genre_names, OTHER)
    columns = np.where(features.primary_genre < 0, len(names) - 1, features.primary_genre)
    return _rated(names, np.bincount(columns, weights=per_film, minlength=len(names)))


def _decades(features: ItemFeatures, per_film: Int64) -> dict[str, int]:
    spots = [spot for spot, name in enumerate(features.term_names) if name.startswith(_DECADE)]
    has_decade = (features.terms.tocsc()[:, spots] > 0).astype(np.float64)
    counts: Float64 = np.asarray(has_decade.T @ per_film, dtype=np.float64).ravel()
    names = [features.term_names[spot].removeprefix(_DECADE) for spot in spots]
    return _rated((*names, OTHER), np.append(counts, per_film.sum() - counts.sum()))


def _flag(is_one: Bool, per_film: Int64) -> dict[str, int]:
    return {YES: int(per_film[is_one].sum()), OTHER: int(per_film[~is_one].sum())}


def _rated(names: tuple[str, ...], counts: Float64 | Int64) -> dict[str, int]:
    """Bins that hold a rating, in order of their names; ``OTHER`` last, also empty."""
    found = {name: int(count) for name, count in zip(names, counts.tolist(), strict=True)}
    kept = {name: found[name] for name in sorted(found) if found[name] and name != OTHER}
    return kept | {OTHER: found[OTHER]}
