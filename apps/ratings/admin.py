"""Viewers' preferences, to be read: only they themselves change them."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.ratings.models import Dismissal, Favorite, Rating, Thumb, WatchlistItem


class PreferenceAdmin(ReadOnlyAdmin):
    list_select_related = ("user", "movie")
    search_fields = ("=user__username", "movie__title")
    raw_id_fields = ("user", "movie")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Rating)
class RatingAdmin(PreferenceAdmin):
    list_display = ("user", "movie", "value", "changed_at")
    list_filter = (("value", admin.EmptyFieldListFilter), "user__is_imported")


@admin.register(Thumb)
class ThumbAdmin(PreferenceAdmin):
    list_display = ("user", "movie", "direction", "changed_at")
    list_filter = ("direction",)


@admin.register(Favorite, WatchlistItem, Dismissal)
class FlagAdmin(PreferenceAdmin):
    list_display = ("user", "movie", "is_active", "changed_at")
    list_filter = ("is_active",)
