"""Changing the catalogue."""

from apps.catalog.services.absorbing import Absorption, absorb, plan_absorption, require_mergeable
from apps.catalog.services.counting import count_ratings
from apps.catalog.services.crediting import add_credits
from apps.catalog.services.editing import MovieFacts, create_movie, update_movie
from apps.catalog.services.genres import add_genres, set_genres
from apps.catalog.services.linking import Edge, Node, add_entities, add_triples, link_films
from apps.catalog.services.refreshing import RefreshedFlags, refresh_flags
from apps.catalog.services.tagging import add_keywords
from apps.catalog.services.upserting import UpsertedFilms, fill_film, note_asked, upsert_films

__all__ = [
    "Absorption",
    "Edge",
    "MovieFacts",
    "Node",
    "RefreshedFlags",
    "UpsertedFilms",
    "absorb",
    "add_credits",
    "add_entities",
    "add_genres",
    "add_keywords",
    "add_triples",
    "count_ratings",
    "create_movie",
    "fill_film",
    "link_films",
    "note_asked",
    "plan_absorption",
    "refresh_flags",
    "require_mergeable",
    "set_genres",
    "update_movie",
    "upsert_films",
]
