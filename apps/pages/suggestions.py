"""Titles that a search which is being typed may mean."""

from collections.abc import Sequence
from typing import NamedTuple

from apps.catalog.models import Movie

N_SUGGESTED = 8


class Suggestion(NamedTuple):
    movie_id: int
    title: str
    year: int | None


def suggestions_for(text: str) -> Sequence[Suggestion]:
    """The first films that a search for ``text`` finds; none for a blank text. One query."""
    if not text.strip():
        return ()
    films = Movie.objects.available().search(text).values_list("pk", "title", "year")
    return [Suggestion(*row) for row in films[:N_SUGGESTED]]
