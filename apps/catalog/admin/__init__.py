"""Keeping the catalogue. Nothing is deleted here: the log points at films, films at the rest."""

from apps.catalog.admin.films import MovieAdmin
from apps.catalog.admin.words import GenreAdmin, KeywordAdmin, PersonAdmin

__all__ = ["GenreAdmin", "KeywordAdmin", "MovieAdmin", "PersonAdmin"]
