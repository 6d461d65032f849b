"""The rows of the home page."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.catalog.models import Movie
from apps.events.models import Surface
from apps.pages.cards import Card, cards_of_slates
from apps.pages.visitors import Visitor
from apps.ratings.history import Preferences, preferences_from
from apps.ratings.querysets import history_rows
from apps.recommendations.services import recommend
from apps.recommendations.slates import ServedSlate, SlateRequest

ROW_LENGTH = 12
# From here on the list rests on enough of the viewer's own ratings.
RATINGS_WANTED = 5


@dataclass(frozen=True)
class Home:
    """``for_you`` is empty for a visitor who has said nothing yet. No film is in both rows."""

    for_you: Sequence[Card]
    popular: Sequence[Card]
    n_rated: int
    has_films: bool

    @property
    def n_missing(self) -> int:
        return max(0, RATINGS_WANTED - self.n_rated)

    @property
    def seats(self) -> list[bool]:
        """One entry for each rating wanted, True for those that are there."""
        return [number < self.n_rated for number in range(RATINGS_WANTED)]


def home_of(visitor: Visitor) -> Home:
    """What the home page shows this visitor now; every film shown to a unit is logged."""
    tastes = _preferences(visitor)
    slates = [_slate(visitor, Surface.FOR_YOU)] if tastes.rated else []
    shown = tuple(slot.movie_id for slate in slates for slot in slate.slots)
    slates.append(_slate(visitor, Surface.HOME_POPULAR, skip=shown))
    *for_you, popular = cards_of_slates(*slates, with_expected=bool(tastes.rated))
    return Home(
        for_you=for_you[0] if for_you else (),
        popular=popular,
        n_rated=tastes.n_ratings,
        has_films=bool(popular or for_you) or Movie.objects.available().exists(),
    )


def _preferences(visitor: Visitor) -> Preferences:
    return preferences_from(history_rows(visitor.viewer.pk) if visitor.viewer else [])


def _slate(visitor: Visitor, surface: Surface, *, skip: tuple[int, ...] = ()) -> ServedSlate:
    return recommend(
        SlateRequest(
            viewer=visitor.viewer,
            unit_key=visitor.unit.key,
            counted=visitor.unit.counted,
            surface=surface,
            n=ROW_LENGTH,
            algorithm="popular" if surface is Surface.HOME_POPULAR else None,
            skip=skip,
            timezone=visitor.timezone,
        )
    )
