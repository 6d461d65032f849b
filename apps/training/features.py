"""What the catalogue says about films, as sparse columns that carry their names."""

from datetime import timedelta

import numpy as np
from django.db.models import Sum, Value
from django.utils import timezone

from apps.algorithms.types import Bool, Int32, Int64, ItemFeatures, ItemIndex
from apps.catalog.models import Genre, Movie, MovieGenre
from apps.events.models import MovieDay
from apps.training.columns import CHUNK_ROWS, column_chunks, read_columns
from apps.training.encoding import Warn, log_warning, read_film_vectors
from apps.training.terms import build_terms, read_links, read_names

SHOWN_DAYS = 30


def build_features(items: ItemIndex, warn: Warn = log_warning) -> ItemFeatures:
    """Genres, terms, vectors and numbers of ``items``; ``warn`` as of ``read_film_vectors``."""
    genres = read_links(items, MovieGenre.objects.values_list("movie_id", "genre_id", Value(1.0)))
    names = read_names(Genre, genres.columns)
    terms = build_terms(items)
    is_long_tail, is_niche = _flags(items)
    return ItemFeatures(
        genres=genres.matrix,
        primary_genre=_primary_genres(items, genres.columns),
        terms=terms.matrix,
        genre_names=tuple(names[int(key)] for key in genres.columns),
        term_names=terms.names,
        vectors=read_film_vectors(items, warn),
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
