"""Viewers' preferences, to be read: only they themselves change them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.catalog.models import Movie
from apps.core.admin import (
    AutocompleteSelectFilter,
    DayRangeFilter,
    Link,
    LogAdmin,
    known_values,
    list_link,
    offer_links,
)
from apps.core.admin.columns import column
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, Unseen, WatchlistItem

_ICONS = {
    Favorite: "favorite",
    WatchlistItem: "bookmark",
    Dismissal: "block",
    Unseen: "visibility_off",
}
WHO_AND_WHAT = [
    ("user", AutocompleteSelectFilter),
    ("movie", AutocompleteSelectFilter),
    ("changed_at", DayRangeFilter),
]


class PreferenceAdmin(LogAdmin):
    group = "Viewers"
    empty = "Viewers fill this table by what they do on the site."
    list_select_related = ("user", "movie")
    named = ("user", "movie")
    search_help_text = "A viewer's name, a film's title, or the number of a row"
    explanations = {"changed_at": "When the viewer did it; it may have been sent later."}


@admin.register(Rating)
class RatingAdmin(PreferenceAdmin):
    icon, rank = "star", 20
    about = "What viewers and imported people gave to films, in stars."
    empty = "Viewers' stars come here; manage.py load_movielens demo brings those of a data set."
    list_display = ("user", "movie", "stars", "changed_at", "origin")
    list_filter = (*WHO_AND_WHAT, ("value", admin.EmptyFieldListFilter), "user__is_imported")
    explanations = {
        "value": "Stars. Empty for a rating that was taken back.",
        **PreferenceAdmin.explanations,
    }

    @column("Stars", ordering="value")
    def stars(self, rating: Rating) -> str:
        return "taken back" if rating.value is None else f"{rating.value:g}"

    @column("From")
    def origin(self, rating: Rating) -> str:
        return "a data set" if rating.user.is_imported else "the site"


@admin.register(Thumb)
class ThumbAdmin(PreferenceAdmin):
    icon, rank = "thumb_up", 21
    about = "Thumbs up and down."
    list_display = ("user", "movie", "thumb", "changed_at")
    list_filter = (
        *WHO_AND_WHAT,
        known_values("direction", [("1", "up"), ("-1", "down"), ("0", "taken back")], title="thumb"),
    )
    explanations = {
        "direction": "1 is up, -1 is down, 0 was taken back.",
        **PreferenceAdmin.explanations,
    }

    @column("Thumb", ordering="direction", label={"up": "success", "down": "danger"})
    def thumb(self, thumb: Thumb) -> str:
        return {1: "up", -1: "down"}.get(thumb.direction, "taken back")


@admin.register(Favorite, WatchlistItem, Dismissal, Unseen)
class FlagAdmin(PreferenceAdmin):
    rank = 22
    list_display = ("user", "movie", "is_active", "changed_at")
    list_filter = (*WHO_AND_WHAT, "is_active")
    explanations = {"is_active": "Off once it was taken back.", **PreferenceAdmin.explanations}

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.icon = _ICONS[self.model]


def _ratings_of(request: HttpRequest, movie: Movie) -> Link | None:
    return list_link(request, Rating, "Its ratings", movie__id__exact=movie.pk)


offer_links(Movie, _ratings_of)
