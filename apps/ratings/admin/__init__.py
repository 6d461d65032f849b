"""Viewers' preferences, to be read; and merging films, which moves them."""

from apps.ratings.admin.merges import MovieMergeAdmin
from apps.ratings.admin.preferences import FlagAdmin, RatingAdmin, ThumbAdmin

__all__ = ["FlagAdmin", "MovieMergeAdmin", "RatingAdmin", "ThumbAdmin"]
