"""What likens films to each other, as sparse columns named by kind and value."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from django.db.models import Case, FloatField, IntegerField, Model, Q, QuerySet, Value, When
from django.db.models.functions import Cast
from scipy import sparse

from apps.algorithms.matrices import empty_csr
from apps.algorithms.types import Float32, Int32, Int64, ItemIndex
from apps.catalog.graph import RELATIONS, SEQUEL, TOLD
from apps.catalog.models import Entity, Genre, Keyword, Movie, MovieKeyword, MoviePerson, Person, Triple
from apps.training.columns import CHUNK_ROWS, read_columns

CAST_KEPT = 10
"""Actors of a film that count, in the order of the credits."""
MIN_FILMS = 2
"""A term that one film alone has likens it to nothing."""
OTHER = "other"
"""The kind of what a film has in the knowledge graph by a relation that has no word of ours."""
TITLE_WEIGHT = 0.25
"""Films that share a word of the title are seldom alike otherwise: at full weight such words cost the
``content`` arm a sixth of its nDCG@10 on MovieLens."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_STOP_WORDS = frozenset(
    "and the for from with without into her his its our your their not all are was you who what when "
    "les des une der die das und den ein eine los las del una por con gli".split()
)
_Named = Genre | Keyword | Person | Entity


@dataclass(frozen=True)
class Terms:
    """Columns of one kind: CSR ``(n_items, len(names))`` of non-negative float32."""

    matrix: sparse.csr_matrix
    names: tuple[str, ...]


@dataclass(frozen=True)
class Links:
    """A many-to-many table as CSR; ``columns`` holds the ids of the other side, ascending."""

    matrix: sparse.csr_matrix
    columns: Int64


def build_terms(items: ItemIndex) -> Terms:
    """All terms of ``items`` that ``MIN_FILMS`` of them share, kind by kind.

    A name is a kind and a value: ``keyword:heist``, ``director:Jane Campion``, ``writer:…``, ``cast:…``,
    ``decade:1990``, ``language:fr``, ``title:matrix``; of the knowledge graph ``country:France``,
    ``series:…``, ``producer:…`` and its other relations. A thing of the graph that no source named has no
    value: ``producer:``.
    """
    kinds = list(_term_kinds(items))
    matrix = sparse.csr_matrix(sparse.hstack([kind.matrix for kind in kinds], format="csr"), dtype=np.float32)
    matrix.sort_indices()
    return Terms(matrix, tuple(name for kind in kinds for name in kind.names))


def read_links(items: ItemIndex, rows: "QuerySet[Model, tuple[int, int, float]]") -> Links:
    """Links of films from rows of (film id, id of the other side, weight)."""
    movies, others, weights = read_columns(
        rows.order_by().iterator(CHUNK_ROWS), (np.int64, np.int64, np.float32)
    )
    return _join_links(items, movies, others, weights)


def read_names(model: type[_Named], ids: Int64) -> Mapping[int, str]:
    """The names of these rows by id, 500 a query."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        wanted = [int(key) for key in ids[start : start + 500]]
        found.update(model.objects.filter(pk__in=wanted).order_by().values_list("pk", "name"))
    return found


def _join_links(items: ItemIndex, movies: Int64, others: Int64, weights: Float32) -> Links:
    spots = items.indices(movies)
    known = spots >= 0
    columns, inverse = np.unique(others[known], return_inverse=True)
    matrix = sparse.csr_matrix(
        (weights[known], (spots[known].astype(np.int32), inverse.astype(np.int32))),
        shape=(len(items), len(columns)),
    )
    return Links(matrix=matrix, columns=columns)


def _term_kinds(items: ItemIndex) -> Iterator[Terms]:
    # A tag that many people gave says more than one that a single person gave, but not as many times.
    keywords = read_links(
        items, MovieKeyword.objects.values_list("movie_id", "keyword_id", Cast("weight", FloatField()))
    )
    np.log1p(keywords.matrix.data, out=keywords.matrix.data)
    yield _named(keywords, "keyword", Keyword)
    for role in MoviePerson.Role:
        people = MoviePerson.objects.filter(role=role)
        if role is MoviePerson.Role.CAST:
            people = people.filter(position__lt=CAST_KEPT)
        links = read_links(items, people.values_list("movie_id", "person_id", Value(1.0)))
        yield _named(links, str(role.value), Person)
    yield from _things_of_films(items)
    yield _words_of_films(items)


def _things_of_films(items: ItemIndex) -> Iterator[Terms]:
    """What the knowledge graph alone knows, relation by relation; a film and its sequel share the sequel."""
    edges = Triple.objects.exclude(Q(relation__in=TOLD) & ~Q(tail__name=""))
    code = Case(
        *(When(relation=name, then=Value(spot)) for spot, name in enumerate(RELATIONS)),
        default=Value(len(RELATIONS)),
        output_field=IntegerField(),
    )
    heads = edges.filter(head__movie__isnull=False).values_list("head__movie_id", "tail_id", code)
    sequels = edges.filter(relation=SEQUEL, tail__movie__isnull=False)
    tails = sequels.values_list("tail__movie_id", "tail_id", code)
    parts = [read_columns(rows.order_by().iterator(CHUNK_ROWS), [np.int64] * 3) for rows in (heads, tails)]
    movies, things, codes = (np.concatenate(pair) for pair in zip(*parts, strict=True))
    for spot, kind in enumerate((*RELATIONS, OTHER)):
        of_kind = codes == spot
        weights = np.ones(int(of_kind.sum()), dtype=np.float32)
        links = _join_links(items, movies[of_kind], things[of_kind], weights)
        # A film that several data sets describe has the same thing once.
        links.matrix.data[:] = 1.0
        yield _named(links, kind, Entity)


def _named(links: Links, kind: str, model: type[_Named]) -> Terms:
    """The links that enough films have, with names."""
    kept = np.flatnonzero(links.matrix.getnnz(axis=0) >= MIN_FILMS)
    names = read_names(model, links.columns[kept])
    return Terms(
        matrix=links.matrix[:, kept],
        names=tuple(f"{kind}:{names[int(key)]}" for key in links.columns[kept]),
    )


def _words_of_films(items: ItemIndex) -> Terms:
    """Decade, language and title words."""
    columns: dict[str, int] = {}
    spots: list[Int32] = []
    chosen: list[Int32] = []
    rows = Movie.objects.order_by("id").values_list("id", "title", "year", "language")
    for movie, title, year, language in rows.iterator(CHUNK_ROWS):
        spot = int(items.indices([movie])[0])
        if spot < 0:
            continue
        words = [columns.setdefault(word, len(columns)) for word in _words(title, year, language)]
        chosen.append(np.array(words, dtype=np.int32))
        spots.append(np.full(len(words), spot, dtype=np.int32))
    if not chosen:
        return Terms(empty_csr(len(items), 0), ())
    cells = (np.concatenate(spots), np.concatenate(chosen))
    matrix = sparse.csr_matrix(
        (np.ones(len(cells[0]), dtype=np.float32), cells), shape=(len(items), len(columns))
    )
    names = np.array(list(columns))
    kept = np.flatnonzero(matrix.getnnz(axis=0) >= MIN_FILMS)
    weights = np.where(np.char.startswith(names[kept], "title:"), TITLE_WEIGHT, 1.0).astype(np.float32)
    return Terms(
        matrix=sparse.csr_matrix(matrix[:, kept] @ sparse.diags(weights)),
        names=tuple(str(name) for name in names[kept]),
    )


def _words(title: str, year: int | None, language: str) -> Iterable[str]:
    """The terms of one film, each once."""
    words = {f"title:{word}" for word in _WORD.findall(title.lower()) if word not in _STOP_WORDS}
    if year:
        words.add(f"decade:{year // 10 * 10}")
    if language:
        words.add(f"language:{language}")
    return sorted(words)
