"""Surprises: films off the viewer's usual path, and others when asked again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from apps.events.models import RecommendationEvent, Surface
from apps.pages.cards import Card, cards_of_movies, cards_of_slots
from apps.pages.gems import has_films
from apps.pages.home import RATINGS_WANTED
from apps.recommendations.audience import Audience
from apps.recommendations.services import recommend_page
from apps.recommendations.viewer import read_viewer

N_SHOWN = 12
N_LEFT_OUT = 5 * N_SHOWN
"""Films shown last that another list leaves out."""
_TARGET = "surprise"


@dataclass(frozen=True)
class Surprise:
    """``after`` is the list that this one was asked for after, ``list_id`` its own; None where it was not
    logged. ``is_theirs`` says whether the films are off the viewer's path, and not popular ones in their
    place. Somebody of whose taste nothing is known has no path, and no films off it.
    """

    cards: Sequence[Card]
    is_known: bool
    is_theirs: bool
    n_rated: int
    has_films: bool
    after: UUID | None
    list_id: UUID | None

    @property
    def n_missing(self) -> int:
        return max(0, RATINGS_WANTED - self.n_rated)

    @property
    def target(self) -> str:
        """The id of the part that an act exchanges; ``after_of_target`` reads the list out of it."""
        return f"{_TARGET}-{self.after}" if self.after else _TARGET

    @property
    def href(self) -> str:
        return _href_after(self.after)

    @property
    def again(self) -> str:
        """The address of other surprises."""
        return _href_after(self.list_id)


def surprise_of(visitor: Audience, after: UUID | None) -> Surprise:
    """Every film shown is logged. Queries: the viewer, what was shown before; films and log of the list;
    the cards.
    """
    state = read_viewer(visitor.viewer, visitor.unit.key)
    tastes = state.preferences
    if not tastes.rated:
        return Surprise((), False, False, 0, has_films(), after, None)
    request = visitor.request(Surface.SURPRISE, N_SHOWN)
    (slate,) = recommend_page([replace(request, exclude=_shown_until(visitor, after))], state)
    plain = cards_of_movies([slot.movie_id for slot in slate.slots])
    cards = cards_of_slots(slate.slots, plain, with_expected=True)
    is_theirs = not slate.degraded and any(slot.reason.kind == "unexpected" for slot in slate.slots)
    return Surprise(cards, True, is_theirs, tastes.n_ratings, True, after, slate.recommendation_id)


def is_target(target: str) -> bool:
    """Whether an exchange is for this page's part."""
    return target == _TARGET or target.startswith(f"{_TARGET}-")


def after_of_target(target: str) -> str:
    """The id of the list that the part's list was asked for after; empty for none."""
    return target.removeprefix(_TARGET).removeprefix("-")


def _href_after(list_id: UUID | None) -> str:
    path = reverse("surprise")
    return f"{path}?{urlencode({'after': list_id})}" if list_id else path


def _shown_until(visitor: Audience, after: UUID | None) -> tuple[int, ...]:
    """What this visitor's surprises were up to that list, the latest of them. None or one query.

    Ids of lists sort by time, so that one of somebody else's is a moment like any other.
    """
    if after is None or visitor.unit.key is None:
        return ()
    shown = RecommendationEvent.objects.filter(
        slate__unit_key=visitor.unit.key, slate__surface=Surface.SURPRISE, slate_id__lte=after
    )
    latest = shown.order_by("-slate_id", "position").values_list("movie_id", flat=True)
    return tuple(dict.fromkeys(latest[:N_LEFT_OUT]))
