"""Data sets for ``benchmarks/arms.py``: the demo's ratings, repeated, as the arrays that arms learn from.

    python -m benchmarks.arm_costs.data FOLDER --films 9066 --people 10

What the demo does not tell of its films is made up: people and keywords, vectors, flags and how often
each was shown. So the arms that read these have as much to do as over a full catalogue.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from apps.algorithms.matrices import pack_csr, unit_rows, unpack_csr
from apps.algorithms.types import Int32, Interactions, ItemFeatures, ItemIndex
from apps.core.importing.bad_lines import BadLines
from apps.ratings.importing.demo import DemoSource
from apps.ratings.importing.records import FilmLine, RatingLine
from apps.training.artifacts import open_artifact, save_artifact
from benchmarks.demo import repeat_films, repeat_people

DIMENSIONS = 256
"""Of the vectors that the encoder makes which needs no network."""
THINGS = {"director": (1, 0.5), "cast": (10, 3.0), "keyword": (8, 0.3)}
"""Of each kind: how many a film has, and how many there are for each film of the catalogue."""
_GROUP = "interactions"


@dataclass(frozen=True)
class DataSet:
    """The demo with ``n_films`` films and ``people`` times its people, each of whom rates."""

    n_films: int
    people: int

    @property
    def name(self) -> str:
        return f"{self.n_films}x{self.people}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--films", type=int, required=True)
    parser.add_argument("--people", type=int, required=True, help="times the demo's")
    options = parser.parse_args()
    save_interactions(options.folder, make_interactions(DataSet(options.films, options.people)))


def make_interactions(data: DataSet) -> Interactions:
    demo = DemoSource()
    by_people = repeat_people(list(demo.ratings(BadLines())), data.people)
    films, ratings = repeat_films(list(demo.films(BadLines())), by_people, data.n_films)
    films.sort(key=lambda film: film.film)
    items = ItemIndex(np.array([film.film for film in films], dtype=np.int64))
    matrix, rated_at = _matrix(ratings, items)
    return Interactions(matrix, rated_at, items, _features(films, np.random.default_rng(0)))


def save_interactions(folder: Path, interactions: Interactions) -> None:
    features = interactions.features
    arrays: dict[str, npt.NDArray[np.generic]] = {
        **pack_csr("ratings", interactions.ratings),
        "rated_at": interactions.rated_at,
        "ids": interactions.items.ids,
        **pack_csr("genres", features.genres),
        "primary_genre": features.primary_genre,
        **pack_csr("terms", features.terms),
        "vectors": features.vectors,
        "is_long_tail": features.is_long_tail,
        "is_niche": features.is_niche,
        "n_shown": features.n_shown,
    }
    names = {"genre_names": features.genre_names, "term_names": features.term_names}
    save_artifact(folder, {_GROUP: arrays}, names)


def load_interactions(folder: Path) -> Interactions:
    """In memory of the process's own, as training has them."""
    artifact = open_artifact(folder)
    arrays = {name: np.array(array) for name, array in artifact.groups[_GROUP].items()}
    features = ItemFeatures(
        genres=unpack_csr("genres", arrays),
        primary_genre=arrays["primary_genre"],
        terms=unpack_csr("terms", arrays),
        genre_names=tuple(artifact.about["genre_names"]),
        term_names=tuple(artifact.about["term_names"]),
        vectors=arrays["vectors"],
        is_long_tail=arrays["is_long_tail"],
        is_niche=arrays["is_niche"],
        n_shown=arrays["n_shown"],
    )
    return Interactions(unpack_csr("ratings", arrays), arrays["rated_at"], ItemIndex(arrays["ids"]), features)


def _matrix(
    ratings: Sequence[RatingLine], items: ItemIndex
) -> tuple[sparse.csr_matrix, npt.NDArray[np.float64]]:
    """Ratings and their times in the order of CSR: by person, then by film."""
    people = np.array([rating.person for rating in ratings])
    columns = items.indices([rating.film for rating in ratings])
    stars = np.array([rating.stars for rating in ratings], dtype=np.float32)
    rated_at = np.array([rating.at for rating in ratings], dtype=np.float64)
    order = np.lexsort((columns, people))
    _, counts = np.unique(people, return_counts=True)
    ends = np.concatenate([[0], np.cumsum(counts)])
    cells = (stars[order], columns[order].astype(np.int32), ends.astype(np.int32))
    return sparse.csr_matrix(cells, shape=(len(counts), len(items))), rated_at[order]


def _features(films: Sequence[FilmLine], rng: np.random.Generator) -> ItemFeatures:
    n_films = len(films)
    genres, genre_names, primary = _genres(films)
    terms, term_names = _made_up_terms(n_films, rng)
    return ItemFeatures(
        genres=genres,
        primary_genre=primary,
        terms=terms,
        genre_names=genre_names,
        term_names=term_names,
        vectors=unit_rows(rng.standard_normal((n_films, DIMENSIONS), dtype=np.float32)),
        is_long_tail=rng.random(n_films) < 0.05,
        is_niche=rng.random(n_films) < 0.2,
        n_shown=rng.geometric(0.05, n_films).astype(np.int64),
    )


def _genres(films: Sequence[FilmLine]) -> tuple[sparse.csr_matrix, tuple[str, ...], Int32]:
    names = sorted({genre for film in films for genre in film.genres})
    column = {name: spot for spot, name in enumerate(names)}
    columns = [[column[genre] for genre in film.genres] for film in films]
    rows = np.repeat(np.arange(len(films)), [len(spots) for spots in columns])
    chosen = np.array([spot for spots in columns for spot in spots], dtype=np.int32)
    matrix = sparse.csr_matrix(
        (np.ones(len(chosen), dtype=np.float32), (rows, chosen)), shape=(len(films), len(names))
    )
    primary = np.array([spots[0] if spots else -1 for spots in columns], dtype=np.int32)
    return matrix, tuple(names), primary


def _made_up_terms(n_films: int, rng: np.random.Generator) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """Things of each kind, a few of them of many films and most of few."""
    parts, names = [], []
    for kind, (of_a_film, for_each_film) in THINGS.items():
        n_things = int(n_films * for_each_film)
        drawn = (n_things * rng.random((n_films, of_a_film)) ** 3).astype(np.int32).ravel()
        rows = np.repeat(np.arange(n_films), of_a_film)
        part = sparse.csr_matrix((np.ones(len(drawn), dtype=np.float32), (rows, drawn)), (n_films, n_things))
        part.data[:] = 1.0
        parts.append(part)
        names += [f"{kind}:{number}" for number in range(n_things)]
    return sparse.csr_matrix(sparse.hstack(parts, format="csr")), tuple(names)


if __name__ == "__main__":
    main()
