"""A viewer's own films, list by list: what they rated, keep, want to see, thumbed and dismissed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Value
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.catalog.models import Movie
from apps.events.models import Kind
from apps.pages.cards import Card, cards_of_movies
from apps.pages.tabs import Tab
from apps.pages.undoing import Undo
from apps.ratings.models import Dismissal, Favorite, Preference, Rating, Thumb, WatchlistItem
from apps.recommendations.audience import Audience

PAGE_LENGTH = 24


@dataclass(frozen=True)
class OwnList:
    """One list. ``state`` is the column that says whether a film stands in it.

    ``take_off`` is what its button says; None where two buttons say more (thumbs).
    """

    slug: str
    name: str
    model: type[Preference]
    state: str
    take_off: Kind | None
    button: str
    empty: str
    has_stars: bool = True

    @property
    def href(self) -> str:
        return reverse("my-films") if self is RATED else reverse("my-films-list", args=[self.slug])

    def rows(self, viewer: User | None) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.listed()  # type: ignore[attr-defined] # each model's own
        return rows.of(viewer.pk) if viewer else rows.none()  # type: ignore[attr-defined]


RATED = OwnList(
    "rated",
    "Rated",
    Rating,
    "value",
    Kind.UNRATE,
    "Remove",
    "Every film that you give stars is kept here, and each one changes your lists.",
)
THUMBS = OwnList(
    "thumbs",
    "Thumbs",
    Thumb,
    "direction",
    None,
    "",
    "A thumb up or down on a film’s page says what you think of it without stars.",
)
OWN_LISTS: Mapping[str, OwnList] = {
    own_list.slug: own_list
    for own_list in (
        RATED,
        OwnList(
            "favourites",
            "Favourites",
            Favorite,
            "is_active",
            Kind.UNFAVORITE,
            "Remove",
            "Press Favourite on the page of a film that you love, and it is kept here.",
        ),
        OwnList(
            "watchlist",
            "Watchlist",
            WatchlistItem,
            "is_active",
            Kind.UNWATCHLIST,
            "Remove",
            "Press Watchlist on the page of a film that you want to see, and it waits for you here.",
        ),
        THUMBS,
        OwnList(
            "not-for-me",
            "Not for me",
            Dismissal,
            "is_active",
            Kind.UNDISMISS,
            "Restore",
            "Films that you send away with × or Not for me stand here, and can be brought back.",
            has_stars=False,
        ),
    )
}


@dataclass(frozen=True)
class Thumbing:
    """One of the two buttons of a film with a thumb: what it shows, and what it says when pressed."""

    label: str
    sign: str
    kind: Kind
    is_on: bool


@dataclass(frozen=True)
class Entry:
    """One film of a list. One that was just taken off is not ``is_on``, and ``undo`` puts it back."""

    own_list: OwnList
    card: Card
    on: date | None
    state: Any
    undo: Undo | None = None

    @property
    def target(self) -> str:
        """The id of its line in the page, by which ``list_of_target`` knows the list again."""
        return f"{self.own_list.slug}-{self.card.movie_id}"

    @property
    def is_on(self) -> bool:
        return bool(self.state)

    @property
    def thumbings(self) -> list[Thumbing]:
        if self.own_list is not THUMBS:
            return []
        up, down = self.state == 1, self.state == -1
        return [
            Thumbing("Thumb up", "↑", Kind.THUMBS_CLEAR if up else Kind.THUMBS_UP, up),
            Thumbing("Thumb down", "↓", Kind.THUMBS_CLEAR if down else Kind.THUMBS_DOWN, down),
        ]


@dataclass(frozen=True)
class MyFilms:
    """One page of one list."""

    own_list: OwnList
    tabs: Sequence[Tab]
    page: Page[Any]
    entries: Sequence[Entry]
    text: str

    @property
    def query(self) -> str:
        """What a link to another page begins with."""
        return f"{urlencode({'q': self.text})}&" if self.text else ""


@dataclass(frozen=True)
class Line:
    """What an act on one line of a list changes: the line, and the numbers on the tabs."""

    entry: Entry
    tabs: Sequence[Tab]


def my_films(visitor: Audience, own_list: OwnList, *, text: str, number: str | None) -> MyFilms:
    """The latest first; with ``text``, those that a search for it finds. As many queries for any length."""
    rows = own_list.rows(visitor.viewer)
    if text:
        rows = rows.filter(movie__in=Movie.objects.search(text).order_by().values("pk"))
    page = Paginator(rows, PAGE_LENGTH).get_page(number)
    entries = _entries(visitor, own_list, list(page.object_list))
    return MyFilms(own_list, tabs_of(visitor.viewer, own_list), page, entries, text)


def line_after(visitor: Audience, own_list: OwnList, movie: Movie, undo: Undo | None) -> Line:
    """The line of a film that something was just said of, be it off the list by now."""
    viewer = visitor.viewer
    rows = own_list.model._default_manager.filter(movie=movie, user=viewer) if viewer else ()
    nothing = Entry(own_list, cards_of_movies([movie.pk])[movie.pk], on=None, state=None)
    entry = next(iter(_entries(visitor, own_list, list(rows))), nothing)
    return Line(replace(entry, undo=None if entry.is_on else undo), tabs_of(viewer, own_list))


def list_of_target(target: str | None) -> OwnList | None:
    """The list whose line an exchange is for, by the line's id."""
    slug, _, _ = (target or "").rpartition("-")
    return OWN_LISTS.get(slug)


def tabs_of(viewer: User | None, here: OwnList) -> list[Tab]:
    """One tab for each list, with the number of its films. One query."""
    counts = _counts(viewer) if viewer else {}
    return [
        Tab(one.name, one.href, is_here=one is here, count=counts.get(one.slug, 0))
        for one in OWN_LISTS.values()
    ]


def _counts(viewer: User) -> dict[str, int]:
    parts = [
        one.rows(viewer).order_by().annotate(slug=Value(one.slug)).values("slug").annotate(n=Count("pk"))
        for one in OWN_LISTS.values()
    ]
    rows: QuerySet[Any] = reduce(lambda left, right: left.union(right, all=True), parts)
    return {row["slug"]: row["n"] for row in rows}


def _entries(visitor: Audience, own_list: OwnList, rows: Sequence[Any]) -> list[Entry]:
    """Two queries: the films, and the viewer's stars unless the rows hold them."""
    plain = cards_of_movies([row.movie_id for row in rows])
    stars = _stars(visitor.viewer, own_list, rows)
    return [
        Entry(
            own_list,
            replace(plain[row.movie_id], rating=stars.get(row.movie_id)),
            on=_local_date(visitor, row.changed_at),
            state=getattr(row, own_list.state),
        )
        for row in rows
    ]


def _stars(viewer: User | None, own_list: OwnList, rows: Sequence[Any]) -> dict[int, float | None]:
    if own_list is RATED or viewer is None:
        return {row.movie_id: row.value for row in rows}
    mine = Rating.objects.of(viewer.pk).filter(movie_id__in=[row.movie_id for row in rows])
    return dict(mine.values_list("movie_id", "value"))


def _local_date(visitor: Audience, at: datetime) -> date:
    return at.astimezone(visitor.timezone or timezone.get_default_timezone()).date()
