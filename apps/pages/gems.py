"""Hidden gems: highly rated films that few people have voted on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.catalog.models import Movie
from apps.events.models import Surface
from apps.pages.cards import Card, cards_of_movies, cards_of_slots
from apps.ratings.history import Preferences
from apps.recommendations.audience import Audience
from apps.recommendations.services import recommend_page
from apps.recommendations.viewer import read_viewer

N_SHOWN = 24
TARGET = "gems"
"""The id of the part that an act exchanges."""


@dataclass(frozen=True)
class Gems:
    """``is_theirs`` says whether the order goes by the viewer's taste, ``is_for_all`` that it does not as no
    film is known that they like.
    """

    cards: Sequence[Card]
    is_theirs: bool
    is_for_all: bool
    has_gems: bool
    has_films: bool


def gem_ids() -> frozenset[int]:
    """The catalogue's long tail. One query."""
    return frozenset(Movie.objects.available().long_tail().values_list("pk", flat=True))


def gems_of(visitor: Audience) -> Gems:
    """Every film shown is logged. Queries: the viewer, the gems; films and log of the list; the cards."""
    state = read_viewer(visitor.viewer, visitor.unit.key)
    tastes = state.preferences
    only = gem_ids()
    if not only:
        return Gems((), is_theirs=False, is_for_all=False, has_gems=False, has_films=has_films())
    (slate,) = recommend_page([replace(visitor.request(Surface.GEMS, N_SHOWN), only=only)], state)
    plain = cards_of_movies([slot.movie_id for slot in slate.slots])
    cards = cards_of_slots(slate.slots, plain, with_expected=bool(tastes.rated), unsaid=unsaid_of(tastes))
    is_for_all = not slate.is_personal and not slate.degraded
    return Gems(cards, slate.is_personal, is_for_all, has_gems=True, has_films=True)


def unsaid_of(tastes: Preferences) -> frozenset[str]:
    """Kinds of reasons that a list of gems leaves out: one that they belie, and to somebody new, to whom
    every card would say it, what the title says.
    """
    return frozenset({"popular"} if tastes.rated else {"popular", "hidden_gem"})


def has_films() -> bool:
    return Movie.objects.available().exists()
