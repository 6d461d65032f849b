"""Films as lists show them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.catalog.posters import tmdb_poster
from apps.ratings.models import Rating
from apps.recommendations.slates import Slot

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
    poster_path: str = ""

    @property
    def poster(self) -> str:
        """The address of TMDB's poster where the site shows them, else of the one drawn here."""
        return tmdb_poster(self.poster_path) or reverse("poster", args=[self.movie_id])

    @property
    def target(self) -> str:
        return card_target(self.movie_id)

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


def card_target(movie_id: int) -> str:
    """The id of a card's place in a page, by which an exchange is known to be for it."""
    return f"card-{movie_id}"


def cards_of_movies(movie_ids: Collection[int]) -> dict[int, Card]:
    """Cards by film id. One query, genres included; none for no films."""
    rows = (
        Movie.objects.filter(pk__in=set(movie_ids))
        .order_by("pk", "moviegenre__position")
        .values_list("pk", "title", "year", "poster_path", "moviegenre__genre__name")
    )
    cards: dict[int, Card] = {}
    for movie_id, title, year, poster_path, genre in rows:
        card = cards.get(movie_id) or Card(movie_id, title, year, (), poster_path=poster_path)
        cards[movie_id] = replace(card, genres=(*card.genres, genre)) if genre else card
    return cards


def with_own_stars(viewer: User | None, cards: Mapping[int, Card]) -> dict[int, Card]:
    """The cards with the viewer's own stars. One query; none for a visitor without a row."""
    if viewer is None or not cards:
        return dict(cards)
    rows = Rating.objects.of(viewer.pk).standing().filter(movie_id__in=list(cards))
    stars = dict(rows.values_list("movie_id", "value"))
    return {movie_id: replace(card, rating=stars.get(movie_id)) for movie_id, card in cards.items()}


def cards_of_slots(
    slots: Iterable[Slot],
    plain: Mapping[int, Card],
    *,
    with_expected: bool,
    unsaid: Collection[str] = (),
) -> list[Card]:
    """The films of a list as cards; ``plain`` holds a card of each, by film id.

    ``with_expected`` only if the stars that the list predicts are the viewer's: without a history they
    are everybody's, and beside an anchor they are those of its admirers. ``unsaid`` are kinds of reasons
    that are left out.
    """
    return [
        replace(
            plain[slot.movie_id],
            event_id=slot.event_id,
            reason="" if slot.reason.kind in unsaid else slot.reason.text,
            expected=slot.predicted_rating if with_expected else None,
        )
        for slot in slots
    ]
