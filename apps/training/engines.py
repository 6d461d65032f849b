"""What serves: one version's arms and facts about its films, packed into arrays and back."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.base import Recommender
from apps.algorithms.matrices import pack_csr, unpack_csr
from apps.algorithms.popularity import rating_entropy
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import load_arms
from apps.algorithms.traits import FilmTraits, film_traits
from apps.algorithms.types import Bool, Float32, Int32, Interactions, ItemIndex
from apps.training.artifacts import Artifact, Groups

_FILMS = "films"
_PREDICTOR = "predictor"
_ARM = "arm_"
_TRAITS = tuple(field.name for field in fields(FilmTraits))


@dataclass(frozen=True, eq=False)
class Engine:
    """One version, immutable; its arrays are mapped and read-only.

    genres
        CSR ``(n_items, n_genres)`` float32 of 0 and 1; ``genre_names`` names its columns.
    traits
        What re-ranking knows.
    is_long_tail
        bool ``(n_items,)`` as the catalogue said when the version was fitted.
    entropy
        float32 ``(n_items,)``: how divided people are about each film (``rating_entropy``).
    """

    version: str
    recipe: str
    items: ItemIndex
    arms: Mapping[str, Recommender]
    predictor: RatingPredictor
    genres: sparse.csr_matrix
    genre_names: tuple[str, ...]
    traits: FilmTraits
    is_long_tail: Bool
    entropy: Float32

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def popularity(self) -> Float32:
        return self.traits.popularity

    @property
    def primary_genre(self) -> Int32:
        return self.traits.primary_genre

    @property
    def vectors(self) -> Float32:
        return self.traits.vectors

    def genre_column(self, name: str) -> int | None:
        """The column of a genre in ``genres``, whatever the case of ``name``; None if there is none."""
        names = [known.casefold() for known in self.genre_names]
        return names.index(name.casefold()) if name.casefold() in names else None


def pack_engine(
    arms: Mapping[str, Recommender],
    predictor: RatingPredictor,
    interactions: Interactions,
    rng: np.random.Generator,
    *,
    exposure: Float32 | None = None,
) -> tuple[Groups, Mapping[str, Any]]:
    """Everything an engine is made of: arrays for an artifact, and JSON for its manifest.

    ``exposure`` is that of the films (``FilmTraits``); without it ``rng`` draws the people whose lists tell.
    """
    features = interactions.features
    traits = film_traits(arms, interactions, rng, exposure=exposure)
    films: dict[str, npt.NDArray[Any]] = {
        "ids": interactions.items.ids,
        **{name: getattr(traits, name) for name in _TRAITS},
        "is_long_tail": features.is_long_tail,
        "entropy": rating_entropy(interactions.explicit.ratings),
        **pack_csr("genres", features.genres),
    }
    groups: dict[str, Mapping[str, npt.NDArray[Any]]] = {_FILMS: films, _PREDICTOR: predictor.arrays()}
    groups |= {f"{_ARM}{name}": arm.arrays() for name, arm in arms.items()}
    about = {
        "n_items": interactions.n_items,
        "arms": {name: dict(arm.parameters) for name, arm in arms.items()},
        "predictor": dict(predictor.parameters),
        "genre_names": list(features.genre_names),
    }
    return groups, about


def unpack_engine(artifact: Artifact, *, version: str, recipe: str) -> Engine:
    """The engine over the mapped arrays: nothing is copied or read that serving does not touch."""
    films, about = artifact.groups[_FILMS], artifact.about
    saved = {
        name: (parameters, artifact.groups.get(f"{_ARM}{name}", {}))
        for name, parameters in about["arms"].items()
    }
    return Engine(
        version=version,
        recipe=recipe,
        items=ItemIndex(films["ids"]),
        arms=load_arms(saved),
        predictor=RatingPredictor.from_arrays(about["predictor"], artifact.groups[_PREDICTOR]),
        genres=unpack_csr("genres", films),
        genre_names=tuple(about["genre_names"]),
        traits=FilmTraits(**{name: np.asarray(films[name]) for name in _TRAITS}),
        is_long_tail=films["is_long_tail"],
        entropy=films["entropy"],
    )
