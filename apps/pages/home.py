"""The rows of the home page."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from apps.catalog.models import Movie
from apps.events.models import Surface
from apps.pages.cards import Card, cards_of_movies, cards_of_slots
from apps.pages.gems import gem_ids, has_films, unsaid_of
from apps.ratings.history import Preferences
from apps.recommendations.anchoring import choose_anchor
from apps.recommendations.audience import Audience
from apps.recommendations.services import recommend_page
from apps.recommendations.slates import ServedSlate, SlateRequest
from apps.recommendations.viewer import read_viewer

ROW_LENGTH = 12
# From here on the list rests on enough of the viewer's own ratings.
RATINGS_WANTED = 5
FOR_YOU, BECAUSE, GEMS, NEW, POPULAR = "for-you", "because", "gems", "new", "popular"


@dataclass(frozen=True)
class HomeRow:
    """``page`` names the address of more films of this kind, if there is one."""

    slug: str
    title: str
    cards: Sequence[Card]
    page: str = ""


@dataclass(frozen=True)
class Home:
    """Rows that have films, in order; no film is in two of them.

    Somebody of whom nothing is known has no row of their own, and popular films first: they are asked to
    rate what they know.
    """

    rows: Sequence[HomeRow]
    n_rated: int
    has_films: bool

    def cards(self, slug: str) -> Sequence[Card]:
        return next((row.cards for row in self.rows if row.slug == slug), ())

    @property
    def for_you(self) -> Sequence[Card]:
        return self.cards(FOR_YOU)

    @property
    def popular(self) -> Sequence[Card]:
        return self.cards(POPULAR)

    @property
    def n_missing(self) -> int:
        return max(0, RATINGS_WANTED - self.n_rated)

    @property
    def seats(self) -> list[bool]:
        """One entry for each rating wanted, True for those that are there."""
        return [number < self.n_rated for number in range(RATINGS_WANTED)]


@dataclass(frozen=True)
class _Wish:
    """A row that is a list of the viewer's. ``has_expected`` says whether the stars that it predicts are
    theirs; ``unsaid`` are kinds of reasons that its title says already, or belies; ``page`` as the row's.
    """

    slug: str
    title: str
    request: SlateRequest
    has_expected: bool
    unsaid: frozenset[str] = frozenset()
    page: str = ""


def home_of(visitor: Audience) -> Home:
    """What the home page shows this visitor now; every film of their lists is logged.

    Queries: the viewer, the film liked, the gems, the newest; films and log of all lists; the cards.
    """
    state = read_viewer(visitor.viewer, visitor.unit.key)
    tastes = state.preferences
    wishes = _wishes(visitor, tastes)
    slates = recommend_page([wish.request for wish in wishes], state)
    shown = {slot.movie_id for slate in slates for slot in slate.slots}
    newest = _newest({*tastes.excluded, *shown})
    plain = cards_of_movies({*shown, *newest})
    rows = {wish.slug: _row(wish, slate, plain) for wish, slate in zip(wishes, slates, strict=True)}
    rows[NEW] = HomeRow(NEW, "New", [plain[movie_id] for movie_id in newest])
    filled = [rows[slug] for slug in _order(tastes) if slug in rows and rows[slug].cards]
    return Home(filled, tastes.n_ratings, has_films=bool(filled) or has_films())


def _order(tastes: Preferences) -> Iterable[str]:
    return (FOR_YOU, BECAUSE, GEMS, NEW, POPULAR) if tastes.rated else (POPULAR, GEMS, NEW)


def _wishes(visitor: Audience, tastes: Preferences) -> list[_Wish]:
    """The rows that are lists, the first choice first."""
    found = [_popular(visitor, tastes), _for_you(visitor, tastes), _because(visitor, tastes)]
    wishes = {wish.slug: wish for wish in [*found, _gems(visitor, tastes)] if wish}
    return [wishes[slug] for slug in _order(tastes) if slug in wishes]


def _for_you(visitor: Audience, tastes: Preferences) -> _Wish | None:
    request = visitor.request(Surface.FOR_YOU, ROW_LENGTH)
    return _Wish(FOR_YOU, "For you", request, has_expected=True) if tastes.rated else None


def _because(visitor: Audience, tastes: Preferences) -> _Wish | None:
    anchor = choose_anchor(tastes)
    if anchor is None:
        return None
    request = replace(visitor.request(Surface.BECAUSE, ROW_LENGTH), anchor=anchor.movie_id)
    title = f"Because you liked {anchor.title}"
    return _Wish(BECAUSE, title, request, has_expected=False, unsaid=frozenset({"similar"}))


def _gems(visitor: Audience, tastes: Preferences) -> _Wish | None:
    only = gem_ids()
    request = replace(visitor.request(Surface.HOME_GEMS, ROW_LENGTH), only=only)
    wish = _Wish(GEMS, "Hidden gems", request, bool(tastes.rated), unsaid_of(tastes), page="gems")
    return wish if only else None


def _popular(visitor: Audience, tastes: Preferences) -> _Wish:
    request = visitor.request(Surface.HOME_POPULAR, ROW_LENGTH)
    return _Wish(POPULAR, "Popular", request, bool(tastes.rated), frozenset({"popular"}))


def _row(wish: _Wish, slate: ServedSlate, plain: dict[int, Card]) -> HomeRow:
    cards = cards_of_slots(slate.slots, plain, with_expected=wish.has_expected, unsaid=wish.unsaid)
    return HomeRow(wish.slug, wish.title, cards, wish.page)


def _newest(kept_out: Collection[int]) -> list[int]:
    """Ids of the newest films but those. One query, whose length the viewer's own history bounds."""
    ids = Movie.objects.available().newest().values_list("pk", flat=True)
    found = ids[: ROW_LENGTH + len(kept_out)]
    return list(islice((movie_id for movie_id in found if movie_id not in kept_out), ROW_LENGTH))
