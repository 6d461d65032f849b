"""What the site knows of one viewer, for staff: what they said, clicked and were shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.events.models import Feedback, Kind, RecommendationEvent, Slate
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, Unseen, WatchlistItem

N_ROWS = 20
N_SLATES = 8

_LISTS = {
    "Favourites": Favorite,
    "Watchlist": WatchlistItem,
    "Thumbs": Thumb,
    "Not for me": Dismissal,
    "Not seen": Unseen,
}


@dataclass(frozen=True)
class ShownSlate:
    """A list as it was shown, its films in their places."""

    slate: Slate
    films: Sequence[RecommendationEvent]


@dataclass(frozen=True)
class Dossier:
    """The latest of each; ``n_ratings`` counts all that stand. ``lists`` are rows of preferences by the
    name of the list, those without a row left out.
    """

    n_ratings: int
    ratings: Sequence[Rating]
    lists: Mapping[str, Sequence[Any]]
    clicks: Sequence[Feedback]
    slates: Sequence[ShownSlate]


def dossier_of(viewer: User) -> Dossier:
    """As many queries for much as for little."""
    ratings = Rating.objects.of(viewer.pk).standing()
    clicks = Feedback.objects.filter(user_id=viewer.pk, kind__in=[Kind.CLICK, Kind.VIEW])
    lists = {name: _latest(model, viewer) for name, model in _LISTS.items()}
    return Dossier(
        n_ratings=ratings.count(),
        ratings=list(ratings.select_related("movie").order_by("-changed_at", "-pk")[:N_ROWS]),
        lists={name: rows for name, rows in lists.items() if rows},
        clicks=list(clicks.select_related("movie", "event").order_by("-occurred_at", "-pk")[:N_ROWS]),
        slates=_slates(viewer),
    )


def _latest(model: Any, viewer: User) -> list[Any]:
    rows = model.objects.of(viewer.pk).standing().select_related("movie")
    return list(rows.order_by("-changed_at", "-pk")[:N_ROWS])


def _slates(viewer: User) -> list[ShownSlate]:
    slates = list(Slate.objects.filter(user_id=viewer.pk).order_by("-created_at", "-pk")[:N_SLATES])
    films: dict[Any, list[RecommendationEvent]] = {slate.pk: [] for slate in slates}
    for event in shown_films([slate.pk for slate in slates]):
        films[event.slate_id].append(event)
    return [ShownSlate(slate, films[slate.pk]) for slate in slates]


def shown_films(slate_ids: Sequence[Any]) -> Sequence[RecommendationEvent]:
    """The films of these lists, in their places."""
    events = RecommendationEvent.objects.filter(slate_id__in=slate_ids).select_related("movie")
    return list(events.order_by("slate_id", "position"))
