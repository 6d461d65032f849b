"""What re-ranking knows about the films of a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apps.algorithms.arms.rotation import freshness
from apps.algorithms.base import Recommender
from apps.algorithms.matrices import unit_rows
from apps.algorithms.popularity import signal_counts
from apps.algorithms.top import top_items
from apps.algorithms.types import Bool, Float32, Int32, Interactions, ItemFeatures

DAMPING_WEIGHT = 0.5
EXPOSURE_WEIGHT = 0.5
NICHE_WEIGHT = 0.75
ROTATION_WEIGHT = 3.0
_PER_MILLE = 1000
_N_SAMPLED = 500
_EXPOSED = 20
_SERIES = "series:"


@dataclass(frozen=True)
class FilmTraits:
    """Made once per version and shared by all requests.

    popularity
        float32 ``(n_items,)``, how many people rated each film, at least 0.
    exposure
        float32 ``(n_items,)``, 0 to 1: the share of people on whose list the film would be without any
        re-ranking.
    vectors
        float32 ``(n_items, d)``, rows of length one, or zero where nothing is known of a film.
    primary_genre, series
        int32 ``(n_items,)``; -1 for a film without one, which no cap counts.
    is_niche
        bool ``(n_items,)``.
    fresh
        float32 ``(n_items,)``, 0 to 1: how little the film was shown lately (``freshness``).
    """

    popularity: Float32
    exposure: Float32
    vectors: Float32
    primary_genre: Int32
    series: Int32
    is_niche: Bool
    fresh: Float32

    @cached_property
    def most_rated(self) -> float:
        """How many people rated the film that most did; 0 without films."""
        return float(self.popularity.max(initial=0.0))

    @cached_property
    def lift(self) -> Float32:
        """What diversity 1 adds to a film whatever else is on the list, in standard deviations of relevance.

        ``NICHE_WEIGHT [niche] + ROTATION_WEIGHT fresh - DAMPING_WEIGHT log2(1 + popularity) -
        EXPOSURE_WEIGHT log2(1 + 1000 exposure)``, float32 ``(n_items,)``.
        """
        damped = DAMPING_WEIGHT * np.log2(1 + self.popularity)
        exposed = EXPOSURE_WEIGHT * np.log2(1 + _PER_MILLE * self.exposure)
        raised = NICHE_WEIGHT * self.is_niche + ROTATION_WEIGHT * self.fresh
        return np.asarray(raised - damped - exposed, dtype=np.float32)


def film_traits(
    arms: Mapping[str, Recommender],
    interactions: Interactions,
    rng: np.random.Generator,
    *,
    exposure: Float32 | None = None,
) -> FilmTraits:
    """The traits of fitted ``arms``: exposure as given, else that of ``hybrid``, else nobody's."""
    features = interactions.features
    exposed = exposure
    if exposed is None and "hybrid" in arms:
        exposed = exposure_of(arms["hybrid"], interactions, rng)
    return FilmTraits(
        popularity=signal_counts(interactions.ratings, "all", interactions.weights).astype(np.float32),
        exposure=np.zeros(interactions.n_items, dtype=np.float32) if exposed is None else exposed,
        vectors=film_vectors(arms, features),
        primary_genre=features.primary_genre,
        series=series_of(features),
        is_niche=features.is_niche,
        fresh=freshness(features.n_shown),
    )


def film_vectors(arms: Mapping[str, Recommender], features: ItemFeatures) -> Float32:
    """Unit vectors whose cosine says how alike two films are, ``(n_items, n_genres + factors)``.

    Half of it is genre and half who watched them (the factors of ``als``, else of ``svd``); a film
    nobody rated goes by genre alone, and one of which nothing is known is a row of zeros.
    """
    parts = [unit_rows(features.genres.toarray().astype(np.float32))]
    for name in ("als", "svd"):
        if name in arms:
            parts.append(unit_rows(np.asarray(arms[name].arrays()["factors"], dtype=np.float32)))
            break
    return unit_rows(np.hstack(parts))


def exposure_of(arm: Recommender, interactions: Interactions, rng: np.random.Generator) -> Float32:
    """The share of up to 500 people, drawn by ``rng``, among whose best 20 unseen films each film is.

    float32 ``(n_items,)``; zeros where nobody is recommended anything.
    """
    counts = np.zeros(interactions.n_items, dtype=np.float32)
    n_people = min(_N_SAMPLED, interactions.n_users)
    for user in rng.choice(interactions.n_users, size=n_people, replace=False) if n_people else ():
        history = interactions.history(int(user))
        scores = arm.fold(history).scores.copy()
        if scores.any():
            scores[history.items] = -np.inf
            counts[top_items(scores, _EXPOSED)] += 1
    return counts / np.float32(max(n_people, 1))


def series_of(features: ItemFeatures) -> Int32:
    """The column of each film's series among ``features.terms``, the first of several; -1 for none."""
    columns = [spot for spot, name in enumerate(features.term_names) if name.startswith(_SERIES)]
    films, spots = features.terms.tocsc()[:, columns].nonzero()
    first = np.full(features.terms.shape[0], len(columns))
    np.minimum.at(first, films, spots)
    series: Int32 = np.array([*columns, -1], dtype=np.int32)[first]
    return series
