"""Hidden gems: films that few have rated, and those highly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.catalog.models import Movie
from apps.events.models import Surface
from apps.pages.cards import Card, cards_of_movies, cards_of_slots
from apps.recommendations.audience import Audience
from apps.recommendations.services import recommend_page
from apps.recommendations.viewer import read_viewer

N_SHOWN = 24
TARGET = "gems"
"""The id of the part that an act exchanges."""
UNSAID = frozenset({"popular"})
"""A kind of reason that a gem belies."""


@dataclass(frozen=True)
class Gems:
    """``is_known`` says whether anything is known of the viewer's taste, ``is_theirs`` whether the order
    goes by it.
    """

    cards: Sequence[Card]
    is_known: bool
    is_theirs: bool
    has_gems: bool
    has_films: bool


def gem_ids() -> frozenset[int]:
    """The catalogue's long tail. One query."""
    return frozenset(Movie.objects.available().long_tail().values_list("pk", flat=True))


def gems_of(visitor: Audience) -> Gems:
    """Every film shown is logged. Queries: the viewer, the gems; films and log of the list; the cards."""
    state = read_viewer(visitor.viewer, visitor.unit.key)
    is_known = bool(state.preferences.rated)
    only = gem_ids()
    if not only:
        return Gems((), is_known, is_theirs=False, has_gems=False, has_films=has_films())
    (slate,) = recommend_page([replace(visitor.request(Surface.GEMS, N_SHOWN), only=only)], state)
    plain = cards_of_movies([slot.movie_id for slot in slate.slots])
    cards = cards_of_slots(slate.slots, plain, with_expected=is_known, unsaid=UNSAID)
    return Gems(cards, is_known, is_known and not slate.degraded, has_gems=True, has_films=True)


def has_films() -> bool:
    return Movie.objects.available().exists()
