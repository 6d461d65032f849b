"""Changing the catalogue."""

from apps.catalog.services.counting import count_ratings
from apps.catalog.services.editing import MovieFacts, create_movie, update_movie
from apps.catalog.services.genres import set_genres
from apps.catalog.services.refreshing import RefreshedFlags, refresh_flags
from apps.catalog.services.upserting import (
    ExternalIds,
    FilmRecord,
    Upserted,
    add_keywords,
    set_external_ids,
    upsert_movies,
)

__all__ = [
    "ExternalIds",
    "FilmRecord",
    "MovieFacts",
    "RefreshedFlags",
    "Upserted",
    "add_keywords",
    "count_ratings",
    "create_movie",
    "refresh_flags",
    "set_external_ids",
    "set_genres",
    "update_movie",
    "upsert_movies",
]
