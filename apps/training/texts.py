"""What the catalogue tells of each film, as encoders read it."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from apps.algorithms.types import ItemIndex
from apps.catalog.models import Movie, MovieGenre, MovieKeyword, MoviePerson
from apps.training.columns import CHUNK_ROWS

CAST_READ = 5
"""Actors of a film that its text names, in the order of the credits."""
KEYWORDS_READ = 20
"""Keywords and tags of a film that its text names, those that most people gave first."""
_ROLES = (MoviePerson.Role.DIRECTOR, MoviePerson.Role.WRITER, MoviePerson.Role.CAST)

Names = dict[int, tuple[str, ...]]
"""By the film's id."""


def film_texts(items: ItemIndex) -> list[str]:
    """Title, genres, overview, keywords and people of each of ``items``, as sentences in this order.

    What is not known is left out. Four queries whatever their number.
    """
    genres, keywords, people = _genres(), _keywords(), _people()
    rows = Movie.objects.order_by().values_list("id", "title", "overview").iterator(CHUNK_ROWS)
    told = {
        movie: _sentences(
            title,
            ", ".join(genres.get(movie, ())),
            " ".join(overview.split()),
            ", ".join(keywords.get(movie, ())),
            ", ".join(people.get(movie, ())),
        )
        for movie, title, overview in rows
    }
    return [told.get(movie, "") for movie in items.ids.tolist()]


def _sentences(*parts: str) -> str:
    return ". ".join(part.rstrip(".") for part in parts if part)


def _genres() -> Names:
    return _names(
        MovieGenre.objects.order_by("movie_id", "position", "id").values_list("movie_id", "genre__name")
    )


def _keywords() -> Names:
    ordered = MovieKeyword.objects.order_by("movie_id", "-weight", "keyword__name")
    return _names(ordered.values_list("movie_id", "keyword__name"), kept=KEYWORDS_READ)


def _people() -> Names:
    """Directors, then writers, then the first of the cast."""
    rank = Case(
        *(When(role=role, then=Value(place)) for place, role in enumerate(_ROLES)),
        output_field=IntegerField(),
    )
    named = MoviePerson.objects.exclude(role=MoviePerson.Role.CAST, position__gte=CAST_READ)
    ordered = named.order_by("movie_id", rank, "position", "id")
    return _names(ordered.values_list("movie_id", "person__name"))


def _names(rows: "QuerySet[Any, tuple[int, str]]", kept: int | None = None) -> Names:
    """The first ``kept`` names of each film, each once; ``rows`` come film by film."""
    films: Iterator[tuple[int, Iterator[tuple[int, str]]]] = groupby(rows.iterator(CHUNK_ROWS), itemgetter(0))
    return {movie: tuple(dict.fromkeys(name for _, name in links))[:kept] for movie, links in films}
