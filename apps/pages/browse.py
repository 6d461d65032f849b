"""Looking through all films, by filters that stand in the address."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.urls import reverse

from apps.accounts.models import User
from apps.catalog.filters import FilmFilter
from apps.catalog.models import Genre, Movie, MovieGenre
from apps.pages.cards import Card, cards_of_movies, with_own_stars
from apps.pages.languages import language_name
from apps.pages.tabs import Tab

PAGE_LENGTH = 24
ORDERS: Mapping[str, str] = {
    "-popularity": "Popular",
    "-vote_average": "Best rated",
    "-year": "Newest",
    "title": "A to Z",
}
DEFAULT_ORDER = "-popularity"


@dataclass(frozen=True)
class Choice:
    """A link that sets or takes away one filter. ``count`` is how many films are left then."""

    name: str
    href: str
    is_on: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Language:
    code: str
    name: str


@dataclass(frozen=True)
class Browse:
    """One page of films. ``active`` takes single filters away; ``looser`` does too, where nothing is
    found, for those that leave something.
    """

    wanted: FilmFilter
    ordering: str
    page: Page[Any]
    cards: Sequence[Card]
    orders: Sequence[Tab]
    genres: Sequence[Choice]
    without: Sequence[Choice]
    active: Sequence[Choice]
    looser: Sequence[Choice]
    languages: Sequence[Language]

    @property
    def has_genres_left(self) -> bool:
        """Whether a further genre leaves any film."""
        return any(genre.count for genre in self.genres)

    @property
    def query(self) -> str:
        """What a link to another page begins with."""
        pairs = _pairs(self.wanted, self.ordering)
        return f"{urlencode(pairs)}&" if pairs else ""


def browse(viewer: User | None, wanted: FilmFilter, *, ordering: str, number: str | None) -> Browse:
    """As many queries however many films are found; where there is none, one more for each filter."""
    found = Movie.objects.available().filtered(wanted)
    ordering = ordering if ordering in ORDERS else DEFAULT_ORDER
    ids = found.ordered_by(ordering).values_list("pk", flat=True)
    page = Paginator(ids, PAGE_LENGTH).get_page(number)
    movie_ids = list(page.object_list)
    plain = with_own_stars(viewer, cards_of_movies(movie_ids))
    names = list(Genre.objects.order_by("name").values_list("name", flat=True))
    return Browse(
        wanted=wanted,
        ordering=ordering,
        page=page,
        cards=[plain[movie_id] for movie_id in movie_ids],
        orders=[
            Tab(name, _address(wanted, order), is_here=order == ordering) for order, name in ORDERS.items()
        ],
        genres=_genres(names, _genre_counts(found), wanted, ordering),
        without=_without(names, wanted),
        active=_active(wanted, ordering),
        looser=[] if movie_ids else _looser(wanted, ordering),
        languages=_languages(),
    )


def _pairs(wanted: FilmFilter, ordering: str) -> list[tuple[str, str]]:
    values = [("genre", name) for name in wanted.genres]
    values += [("exclude_genre", name) for name in wanted.exclude_genres]
    values += [("year_min", str(wanted.year_min or "")), ("year_max", str(wanted.year_max or ""))]
    values += [("language", wanted.language)]
    values += [("ordering", "" if ordering == DEFAULT_ORDER else ordering)]
    return [(name, value) for name, value in values if value]


def _address(wanted: FilmFilter, ordering: str) -> str:
    pairs = _pairs(wanted, ordering)
    return f"{reverse('browse')}?{urlencode(pairs)}" if pairs else reverse("browse")


def _genres(
    names: Sequence[str], counts: Mapping[str, int], wanted: FilmFilter, ordering: str
) -> list[Choice]:
    """Every genre that says nothing yet, with the number of films that it leaves."""
    said = _folded([*wanted.genres, *wanted.exclude_genres])
    return [
        Choice(
            name,
            _address(replace(wanted, genres=(*wanted.genres, name)), ordering),
            count=counts.get(name, 0),
        )
        for name in names
        if name.casefold() not in said
    ]


def _without(names: Sequence[str], wanted: FilmFilter) -> list[Choice]:
    """The genres that may be kept out, for boxes of a form."""
    on, off = _folded(wanted.genres), _folded(wanted.exclude_genres)
    return [Choice(name, "", is_on=name.casefold() in off) for name in names if name.casefold() not in on]


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}


def _genre_counts(found: QuerySet[Movie]) -> dict[str, int]:
    links = MovieGenre.objects.filter(movie__in=found.order_by().values("pk")).order_by()
    return dict(links.values_list("genre__name").annotate(n_films=Count("pk")))


def _less(names: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one.casefold() != name.casefold())


def _parts(wanted: FilmFilter) -> list[tuple[str, FilmFilter]]:
    """Each filter in words, and all of them without it."""
    parts = [(name, replace(wanted, genres=_less(wanted.genres, name))) for name in wanted.genres]
    parts += [
        (f"not {name}", replace(wanted, exclude_genres=_less(wanted.exclude_genres, name)))
        for name in wanted.exclude_genres
    ]
    if wanted.year_min is not None:
        parts.append((f"from {wanted.year_min}", replace(wanted, year_min=None)))
    if wanted.year_max is not None:
        parts.append((f"to {wanted.year_max}", replace(wanted, year_max=None)))
    if wanted.language:
        parts.append((language_name(wanted.language), replace(wanted, language="")))
    return parts


def _active(wanted: FilmFilter, ordering: str) -> list[Choice]:
    return [Choice(name, _address(rest, ordering), is_on=True) for name, rest in _parts(wanted)]


def _looser(wanted: FilmFilter, ordering: str) -> list[Choice]:
    """The filters without which something is found, the one that leaves most first."""
    counted = [
        Choice(name, _address(rest, ordering), count=Movie.objects.available().filtered(rest).count())
        for name, rest in _parts(wanted)
    ]
    return sorted((one for one in counted if one.count), key=lambda one: -(one.count or 0))


def _languages() -> list[Language]:
    """Those of the catalogue by name; none where it has one at most, which is nothing to choose from."""
    codes = Movie.objects.available().exclude(language="").order_by().values_list("language", flat=True)
    known = [Language(code, language_name(code)) for code in codes.distinct()]
    return sorted(known, key=lambda one: one.name) if len(known) > 1 else []
