"""The first ten films: what a newcomer is asked about, and how far they are.

Nothing is kept of the way but what they said: ratings, and films that they have not seen. So it can be
left and taken up again at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from apps.accounts.models import User
from apps.pages.cards import Card, cards_of_movies
from apps.pages.tabs import Tab
from apps.ratings.models import Rating, Unseen
from apps.ratings.querysets import RATING, history_rows
from apps.recommendations.audience import Audience
from apps.recommendations.starters import GROUPS, MIX, StarterGroup, groups_of, known_films, starters

FILMS_WANTED = 10
N_SHOWN = 12
_TARGET = "welcome-"


@dataclass(frozen=True)
class Welcome:
    """``cards`` are to be asked about; ``rated`` are the films rated last, the first of them first."""

    group: StarterGroup
    tabs: Sequence[Tab]
    cards: Sequence[Card]
    rated: Sequence[Card]
    n_rated: int

    @property
    def n_missing(self) -> int:
        return max(0, FILMS_WANTED - self.n_rated)

    @property
    def is_done(self) -> bool:
        return not self.n_missing

    @property
    def is_just_done(self) -> bool:
        return self.n_rated == FILMS_WANTED

    @property
    def seats(self) -> list[Card | None]:
        """One for each film wanted: those rated, then None for those still to come."""
        return [*self.rated, *[None] * (FILMS_WANTED - len(self.rated))]

    @property
    def href(self) -> str:
        return href_of(self.group)

    @property
    def target(self) -> str:
        """The id of the part that an act exchanges; ``group_of_target`` reads the group out of it."""
        return f"{_TARGET}{self.group.slug}"

    @property
    def after_rating(self) -> str:
        """Where a form without script goes on: home with the last film, where the list is."""
        return reverse("home") if self.n_missing == 1 else self.href


def welcome_of(visitor: Audience, group: StarterGroup) -> Welcome:
    """Queries: what was said (2, of somebody with a row), the known films (2), the cards."""
    viewer = visitor.viewer
    rows = history_rows(viewer.pk) if viewer else []
    rated = sorted(((row[3], row[1], row[2]) for row in rows if row[0] == RATING), reverse=True)
    last = [(movie_id, value) for _, movie_id, value in reversed(rated[:FILMS_WANTED])]
    films = known_films()
    said = {row[1] for row in rows} | _unseen(viewer)
    asked = starters(films, group, said=said, n=N_SHOWN)
    plain = cards_of_movies([*asked, *(movie_id for movie_id, _ in last)])
    return Welcome(
        group=group,
        tabs=[Tab(one.name, href_of(one), is_here=one is group) for one in groups_of(films)],
        cards=[plain[movie_id] for movie_id in asked],
        rated=[replace(plain[movie_id], rating=value) for movie_id, value in last],
        n_rated=len(rated),
    )


def has_first_films(user: User) -> bool:
    """Whether they have rated as many films as a newcomer is asked for."""
    return Rating.objects.of(user.pk).standing().count() >= FILMS_WANTED


def group_named(slug: str | None) -> StarterGroup:
    """A bit of everything for a name that is none."""
    return GROUPS.get(slug or "", MIX)


def group_of_target(target: str | None) -> StarterGroup | None:
    """The group whose films an exchange is for, by the id of its part."""
    is_ours = target is not None and target.startswith(_TARGET)
    return group_named((target or "").removeprefix(_TARGET)) if is_ours else None


def href_of(group: StarterGroup) -> str:
    path = reverse("welcome")
    return path if group is MIX else f"{path}?{urlencode({'group': group.slug})}"


def _unseen(viewer: User | None) -> set[int]:
    if viewer is None:
        return set()
    return set(Unseen.objects.of(viewer.pk).standing().values_list("movie_id", flat=True))
