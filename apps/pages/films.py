"""One film's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.catalog.models import Movie
from apps.core.errors import NotFound
from apps.events.models import Kind, Surface
from apps.pages.cards import Card, cards_of_slates
from apps.pages.visitors import Visitor
from apps.recommendations.own import OwnState, own_state
from apps.recommendations.services import recommend
from apps.recommendations.slates import SlateRequest

N_SIMILAR = 6


@dataclass(frozen=True)
class Toggle:
    """A button that says ``kind`` when pressed."""

    label: str
    sign: str
    kind: Kind
    is_on: bool


@dataclass(frozen=True)
class OwnPanel:
    """What the visitor says of the film. ``event_id`` is the impression that led to its page, if any."""

    movie: Movie
    state: OwnState
    event_id: int | None

    @property
    def toggles(self) -> list[Toggle]:
        own = self.state
        return [
            _toggle("Watchlist", "+", own.watchlist, (Kind.WATCHLIST, Kind.UNWATCHLIST)),
            _toggle("Favourite", "♥", own.favorite, (Kind.FAVORITE, Kind.UNFAVORITE)),
            _toggle("Thumb up", "↑", own.thumb == "up", (Kind.THUMBS_UP, Kind.THUMBS_CLEAR)),
            _toggle("Thumb down", "↓", own.thumb == "down", (Kind.THUMBS_DOWN, Kind.THUMBS_CLEAR)),
            _toggle("Not for me", "×", own.dismissed, (Kind.DISMISS, Kind.UNDISMISS)),
        ]


@dataclass(frozen=True)
class FilmPage:
    """``expected`` are the stars that this viewer may give; None while nothing is known of them."""

    movie: Movie
    panel: OwnPanel
    similar: Sequence[Card]
    expected: float | None

    @property
    def average(self) -> float | None:
        """The public's stars, 0.5 to 5; None without a vote."""
        return None if self.movie.vote_average is None else self.movie.vote_average / 2


def film_page(visitor: Visitor, movie_id: int, event_id: int | None) -> FilmPage:
    """Raises ``NotFound`` for a film that is hidden or not there."""
    movie = Movie.objects.available().with_card().defer(None).filter(pk=movie_id).first()
    if movie is None:
        raise NotFound(f"There is no film {movie_id}")
    (similar,) = cards_of_slates(
        recommend(
            SlateRequest(
                viewer=visitor.viewer,
                unit_key=visitor.unit.key,
                counted=visitor.unit.counted,
                surface=Surface.SIMILAR,
                n=N_SIMILAR,
                anchor=movie_id,
                timezone=visitor.timezone,
            )
        ),
        with_expected=False,
    )
    panel = own_panel(visitor, movie, event_id)
    expected = panel.state.predicted_rating if visitor.viewer else None
    return FilmPage(movie, panel, similar, expected)


def own_panel(visitor: Visitor, movie: Movie, event_id: int | None) -> OwnPanel:
    return OwnPanel(movie, own_state(visitor.viewer, movie.pk), event_id)


def _toggle(label: str, sign: str, is_on: bool, kinds: tuple[Kind, Kind]) -> Toggle:
    return Toggle(label, sign, kinds[is_on], is_on)
