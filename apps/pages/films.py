"""One film's page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from apps.catalog.models import Movie, MoviePerson
from apps.catalog.posters import tmdb_poster
from apps.core.errors import NotFound
from apps.events.models import Kind, Surface
from apps.pages.cards import Card, cards_of_movies, cards_of_slots
from apps.pages.languages import language_name
from apps.recommendations.audience import Audience
from apps.recommendations.own import OwnState, own_state
from apps.recommendations.services import recommend

N_SIMILAR = 6
N_KEYWORDS = 24
# In the order of the page: for one, for several.
_HEADINGS = {
    MoviePerson.Role.DIRECTOR: ("Director", "Directors"),
    MoviePerson.Role.WRITER: ("Writer", "Writers"),
    MoviePerson.Role.CAST: ("Cast", "Cast"),
}
_ELSEWHERE = {
    "IMDb": "https://www.imdb.com/title/{}/",
    "TMDB": "https://www.themoviedb.org/movie/{}",
    "MovieLens": "https://movielens.org/movies/{}",
}


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
class Credit:
    """The people of one role, in the order of the source."""

    role: str
    names: Sequence[str]


@dataclass(frozen=True)
class Link:
    """The same film elsewhere."""

    site: str
    href: str


@dataclass(frozen=True)
class FilmPage:
    """``expected`` are the stars that this viewer may give; None while nothing is known of them.

    ``credits`` are of roles that somebody has, the director first; ``keywords`` the weightiest.
    """

    movie: Movie
    credits: Sequence[Credit]
    keywords: Sequence[str]
    panel: OwnPanel
    similar: Sequence[Card]
    expected: float | None

    @property
    def poster(self) -> str:
        return tmdb_poster(self.movie.poster_path) or reverse("poster", args=[self.movie.pk])

    @property
    def runtime(self) -> str:
        """``1 h 57 min``; empty when it is not known."""
        hours, minutes = divmod(self.movie.runtime or 0, 60)
        return " ".join(
            part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part
        )

    @property
    def language(self) -> str:
        return language_name(self.movie.language) if self.movie.language else ""

    @property
    def links(self) -> list[Link]:
        ids = {"IMDb": self.movie.imdb_id, "TMDB": self.movie.tmdb_id, "MovieLens": self.movie.movielens_id}
        return [Link(site, _ELSEWHERE[site].format(known)) for site, known in ids.items() if known]


def film_page(visitor: Audience, movie_id: int, event_id: int | None) -> FilmPage:
    """Raises ``NotFound`` for a film that is hidden or not there."""
    movie = Movie.objects.available().with_card().defer(None).filter(pk=movie_id).first()
    if movie is None:
        raise NotFound(f"There is no film {movie_id}")
    wish = replace(visitor.request(Surface.SIMILAR, N_SIMILAR), anchor=movie_id)
    slots = recommend(wish).slots
    plain = cards_of_movies([slot.movie_id for slot in slots])
    similar = cards_of_slots(slots, plain, with_expected=False)
    panel = own_panel(visitor, movie, event_id)
    expected = panel.state.predicted_rating if visitor.viewer else None
    return FilmPage(movie, _credits(movie), _keywords(movie), panel, similar, expected)


def own_panel(visitor: Audience, movie: Movie, event_id: int | None) -> OwnPanel:
    return OwnPanel(movie, own_state(visitor.viewer, movie.pk), event_id)


def _toggle(label: str, sign: str, is_on: bool, kinds: tuple[Kind, Kind]) -> Toggle:
    return Toggle(label, sign, kinds[is_on], is_on)


def _credits(movie: Movie) -> list[Credit]:
    names: dict[str, list[str]] = {}
    for role, name in movie.movieperson_set.order_by("position").values_list("role", "person__name"):
        names.setdefault(role, []).append(name)
    return [
        Credit(headings[len(names[role]) > 1], names[role])
        for role, headings in _HEADINGS.items()
        if role in names
    ]


def _keywords(movie: Movie) -> list[str]:
    links = movie.moviekeyword_set.order_by("-weight", "keyword_id")
    return list(links.values_list("keyword__name", flat=True)[:N_KEYWORDS])
