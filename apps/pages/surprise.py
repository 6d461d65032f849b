"""Surprises: films off the viewer's usual path, and others when asked again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
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
    logged. ``is_known`` is False of somebody who rated nothing: who has no path has no film off it.

    ``is_theirs`` says that the films are for this viewer, ``is_for_all`` that they are not, as no film is
    known that they like; ``is_off_path`` that most of them are off the viewer's path, ``comes_round`` that
    most were among the viewer's surprises before.
    """

    has_films: bool
    after: UUID | None
    cards: Sequence[Card] = ()
    is_known: bool = False
    is_theirs: bool = False
    is_for_all: bool = False
    is_off_path: bool = False
    comes_round: bool = False
    n_rated: int = 0
    list_id: UUID | None = None

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
    the cards, and which of them were shown before.
    """
    state = read_viewer(visitor.viewer, visitor.unit.key)
    tastes = state.preferences
    if not tastes.rated:
        return Surprise(has_films(), after)
    request = visitor.request(Surface.SURPRISE, N_SHOWN)
    (slate,) = recommend_page([replace(request, exclude=_shown_until(visitor, after))], state)
    movie_ids = [slot.movie_id for slot in slate.slots]
    n_off_path = sum(slot.reason.kind == "unexpected" for slot in slate.slots)
    return Surprise(
        has_films=True,
        after=after,
        cards=cards_of_slots(slate.slots, cards_of_movies(movie_ids), with_expected=True),
        is_known=True,
        is_theirs=slate.is_personal,
        is_for_all=not slate.is_personal and not slate.degraded,
        is_off_path=_is_most(n_off_path, movie_ids),
        comes_round=_is_most(_n_shown_before(visitor, after, movie_ids), movie_ids),
        n_rated=tastes.n_ratings,
        list_id=slate.recommendation_id,
    )


def is_target(target: str) -> bool:
    """Whether an exchange is for this page's part."""
    return target == _TARGET or target.startswith(f"{_TARGET}-")


def after_of_target(target: str) -> str:
    """The id of the list that the part's list was asked for after; empty for none."""
    return target.removeprefix(_TARGET).removeprefix("-")


def _is_most(number: int, films: Sequence[int]) -> bool:
    """Whether that is half of the films or more."""
    return 0 < len(films) <= 2 * number


def _href_after(list_id: UUID | None) -> str:
    path = reverse("surprise")
    return f"{path}?{urlencode({'after': list_id})}" if list_id else path


def _shown_until(visitor: Audience, after: UUID | None) -> tuple[int, ...]:
    """What this visitor's surprises were up to that list, the latest of them. None or one query."""
    latest = _surprises(visitor, after).order_by("-slate_id", "position").values_list("movie_id", flat=True)
    return tuple(dict.fromkeys(latest[:N_LEFT_OUT]))


def _n_shown_before(visitor: Audience, after: UUID | None, movie_ids: Sequence[int]) -> int:
    """How many of the films this visitor's surprises held up to that list. None or one query."""
    shown = _surprises(visitor, after).filter(movie_id__in=movie_ids)
    return shown.values("movie_id").distinct().count()


def _surprises(visitor: Audience, until: UUID | None) -> QuerySet[RecommendationEvent]:
    """The films of this visitor's lists up to that one; none, without a query, for no list.

    Ids of lists sort by time, so that one of somebody else's is a moment like any other.
    """
    if until is None or visitor.unit.key is None:
        return RecommendationEvent.objects.none()
    return RecommendationEvent.objects.filter(
        slate__unit_key=visitor.unit.key, slate__surface=Surface.SURPRISE, slate_id__lte=until
    )
