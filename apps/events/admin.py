"""The log, to be read."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.events.models import Feedback, MovieDay, RecommendationEvent, Slate, SlateAssignment
from apps.events.packing import unpack_history, unpack_ids


@admin.register(Slate)
class SlateAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "created_at",
        "surface",
        "user",
        "strategy",
        "n_returned",
        "counted",
        "degraded",
        "ms",
    )
    list_filter = ("surface", "strategy", "counted", "degraded")
    list_select_related = ("user",)
    search_fields = ("=id", "=unit_key", "=user__username")
    date_hierarchy = "created_at"
    exclude = ("history", "exclusions")
    readonly_fields = ("history_as_shown", "kept_out")

    @admin.display(description="ms", ordering="latency_ms")
    def ms(self, slate: Slate) -> str:
        return f"{slate.latency_ms:.1f}"

    @admin.display(description="history (film, stars), oldest first")
    def history_as_shown(self, slate: Slate) -> str:
        return ", ".join(f"{movie_id}: {stars}" for movie_id, stars in unpack_history(bytes(slate.history)))

    @admin.display(description="kept out")
    def kept_out(self, slate: Slate) -> str:
        return ", ".join(str(movie_id) for movie_id in unpack_ids(bytes(slate.exclusions)))


@admin.register(RecommendationEvent)
class RecommendationEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "movie", "position", "algorithm", "user", "outcome", "propensity")
    list_filter = ("algorithm", "outcome", "explored", "is_long_tail")
    list_select_related = ("movie", "user")
    search_fields = ("=id", "=slate__id", "=user__username", "movie__title")
    date_hierarchy = "created_at"
    raw_id_fields = ("slate", "movie", "user")


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ("id", "received_at", "user", "kind", "movie", "value", "event")
    list_filter = ("kind",)
    list_select_related = ("user", "movie", "event")
    search_fields = ("=id", "=user__username", "movie__title")
    date_hierarchy = "received_at"
    raw_id_fields = ("event", "movie", "user")


@admin.register(SlateAssignment)
class SlateAssignmentAdmin(ReadOnlyAdmin):
    list_display = ("slate", "experiment_key", "phase", "variant", "counted")
    list_filter = ("experiment_key", "variant")
    list_select_related = ("slate",)
    search_fields = ("=slate__id",)


@admin.register(MovieDay)
class MovieDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "movie", "surface", "shown", "clicked")
    list_filter = ("surface",)
    list_select_related = ("movie",)
    search_fields = ("movie__title",)
    date_hierarchy = "day"
