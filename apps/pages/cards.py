"""Films as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from apps.catalog.models import Movie
from apps.recommendations.slates import ServedSlate, Slot

GENRES_SHOWN = 2


@dataclass(frozen=True)
class Card:
    """``rating`` is the viewer's own stars, ``expected`` the stars we think they would give."""

    movie: Movie
    event_id: int | None = None
    reason: str = ""
    expected: float | None = None
    rating: float | None = None

    @property
    def href(self) -> str:
        """The film's page. The impression goes along, so that the log learns of the click."""
        path = reverse("film", args=[self.movie.pk])
        return f"{path}?{urlencode({'e': self.event_id})}" if self.event_id is not None else path

    @property
    def facts(self) -> str:
        """Year and genres in one line."""
        genres = ", ".join(self.movie.genre_names[:GENRES_SHOWN])
        return " · ".join(part for part in (str(self.movie.year or ""), genres) if part)


def cards_of_slates(*slates: ServedSlate) -> list[list[Card]]:
    """The slates' films as cards, slate by slate. Two queries together."""
    wanted = {slot.movie_id for slate in slates for slot in slate.slots}
    movies = Movie.objects.with_card().in_bulk(wanted)
    return [[_card(slot, movies[slot.movie_id]) for slot in slate.slots] for slate in slates]


def cards_of_movies(movies: Iterable[Movie]) -> Sequence[Card]:
    """Cards of films read ``with_card``."""
    return [Card(movie) for movie in movies]


def _card(slot: Slot, movie: Movie) -> Card:
    return Card(movie, event_id=slot.event_id, reason=slot.reason.text, expected=slot.predicted_rating)
