"""Which films a list holds, as a value that the API and the pages share. Knows no Django."""

from collections.abc import Iterable
from dataclasses import dataclass

FIRST_YEAR, LAST_YEAR = 1800, 2200
MAX_GENRES = 10
MAX_GENRE_NAME = 60


@dataclass(frozen=True)
class FilmFilter:
    """Films of all ``genres`` and of none of ``exclude_genres`` (names in any case), of a span of years,
    in a language. What is left out keeps no film out.
    """

    genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    language: str = ""


def genre_names(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in comma-separated lists, each once, whatever their case."""
    names = (name.strip() for text in texts for name in text.split(","))
    return tuple({name.casefold(): name for name in names if name}.values())
