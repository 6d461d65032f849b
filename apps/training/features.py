"""What the catalogue says about films, as sparse columns that carry their names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import FloatField, Model, QuerySet, Sum, Value
from django.db.models.functions import Cast
from django.utils import timezone
from scipy import sparse

from apps.algorithms.matrices import empty_csr
from apps.algorithms.types import Bool, Int32, Int64, ItemFeatures, ItemIndex
from apps.catalog.models import Genre, Keyword, Movie, MovieGenre, MovieKeyword, MoviePerson, Person
from apps.events.models import MovieDay
from apps.training.columns import CHUNK_ROWS, column_chunks, read_columns

CAST_KEPT = 10
"""Actors of a film that count, in the order of the credits."""
SHOWN_DAYS = 30
MIN_FILMS = 2
"""A term that one film alone has likens it to nothing."""
TITLE_WEIGHT = 0.25
"""Films that share a word of the title are seldom alike otherwise: at full weight such words cost the
``content`` arm a sixth of its nDCG@10 on MovieLens."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_STOP_WORDS = frozenset(
    "and the for from with without into her his its our your their not all are was you who what when "
    "les des une der die das und den ein eine los las del una por con gli".split()
)


@dataclass(frozen=True)
class Terms:
    """Columns of one kind: CSR ``(n_items, len(names))`` of non-negative float32."""

    matrix: sparse.csr_matrix
    names: tuple[str, ...]


def build_features(items: ItemIndex) -> ItemFeatures:
    """Genres and terms of ``items``.

    A term's name is its kind and its value: ``keyword:heist``, ``director:Jane Campion``,
    ``writer:…``, ``cast:…``, ``decade:1990``, ``language:fr``, ``title:matrix``.
    """
    genres = _links(items, MovieGenre.objects.values_list("movie_id", "genre_id", Value(1.0)))
    names = _names(Genre, genres.columns)
    terms = _join(list(_term_kinds(items)), len(items))
    is_long_tail, is_niche = _flags(items)
    return ItemFeatures(
        genres=genres.matrix,
        primary_genre=_primary_genres(items, genres.columns),
        terms=terms.matrix,
        genre_names=tuple(names[int(key)] for key in genres.columns),
        term_names=terms.names,
        vectors=np.zeros((len(items), 0), dtype=np.float32),
        is_long_tail=is_long_tail,
        is_niche=is_niche,
        n_shown=_shown_lately(items),
    )


def _flags(items: ItemIndex) -> tuple[Bool, Bool]:
    """Which films are long tail and which are niche, bool ``(n_items,)`` each."""
    rows = Movie.objects.order_by().values_list("id", "is_long_tail", "is_niche").iterator(CHUNK_ROWS)
    long_tail, niche = np.zeros(len(items), dtype=np.bool_), np.zeros(len(items), dtype=np.bool_)
    for ids, tail_flags, niche_flags in column_chunks(rows, (np.int64, np.bool_, np.bool_)):
        spots = items.indices(ids)
        known = spots >= 0
        long_tail[spots[known]] = tail_flags[known]
        niche[spots[known]] = niche_flags[known]
    return long_tail, niche


def _shown_lately(items: ItemIndex) -> Int64:
    """How often each film was shown on the last ``SHOWN_DAYS`` UTC days, today included."""
    first = timezone.now().date() - timedelta(days=SHOWN_DAYS - 1)
    rows = MovieDay.objects.filter(day__gte=first).values_list("movie_id").annotate(Sum("shown"))
    movies, counts = read_columns(rows.order_by().iterator(CHUNK_ROWS), (np.int64, np.int64))
    spots = items.indices(movies)
    shown = np.zeros(len(items), dtype=np.int64)
    shown[spots[spots >= 0]] = counts[spots >= 0]
    return shown


@dataclass(frozen=True)
class _Links:
    """A many-to-many table as CSR; ``columns`` holds the ids of the other side, ascending."""

    matrix: sparse.csr_matrix
    columns: Int64


def _links(items: ItemIndex, rows: "QuerySet[Model, tuple[int, int, float]]") -> _Links:
    movies, others, weights = read_columns(
        rows.order_by().iterator(CHUNK_ROWS), (np.int64, np.int64, np.float32)
    )
    spots = items.indices(movies)
    known = spots >= 0
    columns, inverse = np.unique(others[known], return_inverse=True)
    matrix = sparse.csr_matrix(
        (weights[known], (spots[known].astype(np.int32), inverse.astype(np.int32))),
        shape=(len(items), len(columns)),
    )
    return _Links(matrix=matrix, columns=columns)


def _term_kinds(items: ItemIndex) -> Iterator[Terms]:
    # A tag that many people gave says more than one that a single person gave, but not as many times.
    keywords = _links(
        items, MovieKeyword.objects.values_list("movie_id", "keyword_id", Cast("weight", FloatField()))
    )
    np.log1p(keywords.matrix.data, out=keywords.matrix.data)
    yield _named(keywords, "keyword", Keyword)
    for role in MoviePerson.Role:
        people = MoviePerson.objects.filter(role=role)
        if role is MoviePerson.Role.CAST:
            people = people.filter(position__lt=CAST_KEPT)
        links = _links(items, people.values_list("movie_id", "person_id", Value(1.0)))
        yield _named(links, str(role.value), Person)
    yield _words_of_films(items)


def _named(links: _Links, kind: str, model: type[Genre | Keyword | Person]) -> Terms:
    """The links that enough films have, with names."""
    kept = np.flatnonzero(links.matrix.getnnz(axis=0) >= MIN_FILMS)
    names = _names(model, links.columns[kept])
    return Terms(
        matrix=links.matrix[:, kept],
        names=tuple(f"{kind}:{names[int(key)]}" for key in links.columns[kept]),
    )


def _names(model: type[Genre | Keyword | Person], ids: Int64) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        wanted = [int(key) for key in ids[start : start + 500]]
        found.update(model.objects.filter(pk__in=wanted).order_by().values_list("pk", "name"))
    return found


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


def _join(kinds: list[Terms], n_items: int) -> Terms:
    matrix = sparse.csr_matrix(sparse.hstack([kind.matrix for kind in kinds], format="csr"), dtype=np.float32)
    matrix.sort_indices()
    return Terms(matrix, tuple(name for kind in kinds for name in kind.names))


def _primary_genres(items: ItemIndex, genres: Int64) -> Int32:
    """int32 ``(n_items,)``: the column of each film's primary genre, -1 for none."""
    primary = np.full(len(items), -1, dtype=np.int32)
    rows = Movie.objects.filter(primary_genre__isnull=False).values_list("id", "primary_genre_id")
    index = ItemIndex(genres)
    for movies, chosen in column_chunks(rows.order_by().iterator(CHUNK_ROWS), (np.int64, np.int64)):
        spots = items.indices(movies)
        known = spots >= 0
        primary[spots[known]] = index.indices(chosen[known])
    return primary
