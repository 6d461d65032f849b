"""The formats that are read, one module for each site."""

from apps.ratings.imports.formats.format import Format
from apps.ratings.imports.formats.imdb import Imdb
from apps.ratings.imports.formats.letterboxd import Letterboxd
from apps.ratings.imports.formats.marquee import Marquee
from apps.ratings.imports.formats.movielens import MovieLensSet, MovieLensSite
from apps.ratings.imports.formats.trakt import Trakt

FORMATS: tuple[Format, ...] = (Marquee(), Letterboxd(), Imdb(), Trakt(), MovieLensSite(), MovieLensSet())

__all__ = ["FORMATS", "Format"]
