"""The things that films share, as nodes of the ``graph`` arm, and which of them are worth naming."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from apps.algorithms.types import ItemFeatures

PART = ":"
"""Parts the kind of a term from its value."""
_NO_THING = "title"
"""Words of a title are no things."""
_PEOPLE = frozenset({"director", "writer", "cast", "producer", "composer", "cinematographer", "editor"})
_ORIGIN = frozenset({"decade", "language", "country", "certificate", "nominated for", "won"})
_TELLING: Mapping[str, float] = {
    "series": 2.0,
    "sequel": 2.0,
    "director": 1.5,
    "keyword": 1.0,
    "writer": 1.0,
    "cast": 1.0,
    "composer": 1.0,
    "producer": 0.8,
    "cinematographer": 0.8,
    "editor": 0.8,
    "company": 0.6,
    "won": 0.6,
    "nominated for": 0.6,
    "genre": 0.5,
    "country": 0.4,
    "decade": 0.3,
    "language": 0.3,
}
"""How much it says of two films that both have a thing of the kind."""
_TELLING_OTHERS = 0.2
_TELLING_UNNAMED = 0.5
_WORTH_NAMING = 0.6
"""What tells less is not named: that somebody liked the other film says more than that both are dramas."""


@dataclass(frozen=True)
class Things:
    """Columns by thing: CSR ``(n_items, len(names))`` float32 above 0; names are ``kind:value``."""

    matrix: sparse.csr_matrix
    names: tuple[str, ...]


def group_of(kind: str) -> str:
    """Which weight counts for things of this kind: people, genre, origin or keyword."""
    if kind in _PEOPLE:
        return "people"
    if kind in _ORIGIN:
        return "origin"
    return "genre" if kind == "genre" else "keyword"


def things_of(features: ItemFeatures, weights: Mapping[str, float]) -> Things:
    """Terms but words of titles, and genres, times the weight of their group; 0 leaves a group out."""
    names = (*features.term_names, *(f"genre{PART}{name}" for name in features.genre_names))
    kinds = [name.partition(PART)[0] for name in names]
    scales = np.array(
        [0.0 if kind == _NO_THING else weights[group_of(kind)] for kind in kinds], dtype=np.float32
    )
    kept = np.flatnonzero(scales)
    both = sparse.hstack([features.terms, features.genres], format="csr")[:, kept]
    matrix = sparse.csr_matrix(both @ sparse.diags(scales[kept]), dtype=np.float32)
    matrix.eliminate_zeros()
    return Things(matrix, tuple(names[spot] for spot in kept.tolist()))


def telling_things(things: Things) -> Things:
    """The things worth naming, and for each how much it tells in place of its weight.

    ``log((1 + n_items) / (1 + films with it))`` times a factor of its kind, and half of that without a
    name.
    """
    n_items = things.matrix.shape[0]
    films_with = np.bincount(things.matrix.indices, minlength=len(things.names))
    told = np.log((1.0 + n_items) / (1.0 + films_with)) * np.array([_telling(name) for name in things.names])
    kept = np.flatnonzero(told >= _WORTH_NAMING)
    pattern = (things.matrix[:, kept] > 0).astype(np.float32)
    matrix = sparse.csr_matrix(pattern @ sparse.diags(told[kept]), dtype=np.float32)
    matrix.sort_indices()
    return Things(matrix, tuple(things.names[spot] for spot in kept.tolist()))


def _telling(name: str) -> float:
    kind, _, value = name.partition(PART)
    return _TELLING.get(kind, _TELLING_OTHERS) * (1.0 if value else _TELLING_UNNAMED)
