"""Films as lists show them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from apps.catalog.models import Movie
from apps.recommendations.slates import ServedSlate, Slot

GENRES_SHOWN = 2


@dataclass(frozen=True)
class Card:
    """``genres`` are in the order of the source. ``rating`` is the viewer's own stars, ``expected``
    those we think they would give; ``event_id`` the impression, if the list is logged.
    """

    movie_id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    event_id: int | None = None
    reason: str = ""
    expected: float | None = None
    rating: float | None = None

    @property
    def href(self) -> str:
        """The film's page. The impression goes along, so that the log learns of the click."""
        path = reverse("film", args=[self.movie_id])
        return f"{path}?{urlencode({'e': self.event_id})}" if self.event_id is not None else path

    @property
    def facts(self) -> str:
        """Year and genres in one line."""
        genres = ", ".join(self.genres[:GENRES_SHOWN])
        return " · ".join(part for part in (str(self.year or ""), genres) if part)


def cards_of_movies(movie_ids: Collection[int]) -> dict[int, Card]:
    """Cards by film id. One query, genres included; none for no films."""
    rows = (
        Movie.objects.filter(pk__in=set(movie_ids))
        .order_by("pk", "moviegenre__position")
        .values_list("pk", "title", "year", "moviegenre__genre__name")
    )
    cards: dict[int, Card] = {}
    for movie_id, title, year, genre in rows:
        card = cards.get(movie_id) or Card(movie_id, title, year, ())
        cards[movie_id] = replace(card, genres=(*card.genres, genre)) if genre else card
    return cards


def cards_of_slates(*slates: ServedSlate, with_expected: bool) -> list[list[Card]]:
    """The slates' films as cards, slate by slate. One query together.

    ``with_expected`` only if the stars that the slates predict are the viewer's: without a history
    they are everybody's, and beside an anchor they are those of its admirers.
    """
    plain = cards_of_movies({slot.movie_id for slate in slates for slot in slate.slots})
    return [_slate_cards(slate.slots, plain, with_expected=with_expected) for slate in slates]


def _slate_cards(slots: Iterable[Slot], plain: dict[int, Card], *, with_expected: bool) -> list[Card]:
    return [
        replace(
            plain[slot.movie_id],
            event_id=slot.event_id,
            reason=slot.reason.text,
            expected=slot.predicted_rating if with_expected else None,
        )
        for slot in slots
    ]
