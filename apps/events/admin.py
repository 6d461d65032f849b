"""The log, to be read. No filter and no count reads a whole table of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from apps.algorithms.registry import ARMS
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
from apps.events.models import Feedback, MovieDay, RecommendationEvent, Slate, SlateAssignment
from apps.events.packing import unpack_history, unpack_ids

NO_EXPERIMENT = "Empty while the site runs no experiment."
BY_BANDIT = "Empty for a fixed strategy."
ONE_NAME = "An id of a list or a film's row, a viewer's name, or a film's title"


class DegradedFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    title = "whether popular films came instead"
    parameter_name = "fell_back"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "yes"), ("no", "no, as it should be")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Slate]) -> QuerySet[Slate]:
        if self.value() == "yes":
            return queryset.exclude(degraded="")
        return queryset.filter(degraded="") if self.value() == "no" else queryset


class ImpressionsInline(TabularInline):  # type: ignore[misc] # unfold ships no types
    """The films of a list in their places."""

    model = RecommendationEvent
    fields = ["position", "movie", "algorithm", "recommendation_score", "propensity", "why", "outcome"]
    readonly_fields = fields
    ordering = ["position"]
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = "films in their places"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecommendationEvent]:
        rows: QuerySet[RecommendationEvent] = super().get_queryset(request).select_related("movie")
        return rows

    @column("Why")
    def why(self, event: RecommendationEvent) -> str:
        return str(event.reason.get("text", "–"))


@admin.register(Slate)
class SlateAdmin(LogAdmin):
    group, icon, rank = "The log", "view_carousel", 0
    about = "One row for each list of films that was shown and logged, with all that it was made from."
    empty = "The first list that a visitor with a cookie is shown makes a row."
    list_display = (
        "created_at",
        "surface",
        "user",
        "strategy",
        "model_version",
        "n_returned",
        "n_clicked",
        "state",
        "ms",
    )
    list_filter = (
        ("created_at", DayRangeFilter),
        ("user", AutocompleteSelectFilter),
        ("surface", ChoicesDropdownFilter),
        known_values("strategy", [*ARMS, "fixed", "bandit"], title="strategy"),
        DegradedFilter,
        "counted",
    )
    list_select_related = ("user",)
    exact = ("pk", "unit_key")
    named = ("user",)
    search_help_text = "The id of a list or of a unit, or a viewer's name"
    exclude = ("history", "exclusions")
    readonly_fields = ("history_as_shown", "kept_out")
    inlines = (ImpressionsInline,)
    explanations = {
        "unit_key": "The visitor's random key, from a signed cookie. Empty once the person was erased.",
        "user": "Empty for a visitor who had said nothing yet, and for one who was erased.",
        "surface": "Where it was shown. Only lists on home.for_you and api are counted for experiments.",
        "strategy_config": "The strategy that made it, with every default written out.",
        "policy_version": "The version of the serving policy, which grows with each change of it.",
        "context": "The situation, fixed when the list was made.",
        "context_index": "The context as a number, 0 to 95.",
        "overridden_by": "What the request asked for itself, such as genre or exclude. Empty for the viewer's"
        " own list.",
        "degraded": "Why popular films came instead: no_model or scoring_failed. Empty when all was well.",
        "counted": "Whether it will count for experiments, the bandit and alerts: a viewer's own list on"
        " home.for_you or api.",
        "diversity": "0 is the arms' own order; 1 is as varied as it gets.",
        "latency_ms": "From the request until the list was made, in milliseconds.",
        "bandit_version": f"The version of the bandit's policy, whose counts the list is in. {BY_BANDIT}",
        "posterior": "All that the arms were drawn by: what the bandit knew of each (alpha and beta), what it"
        f" drew, and with what probability each came at each rank. {BY_BANDIT}",
        "history_as_shown": "The viewer's films that it was made from. Empty once the person was erased.",
        "kept_out": "Films kept out besides those.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slate]:
        clicks = RecommendationEvent.objects.filter(slate_id=OuterRef("pk"), clicked=True)
        number = clicks.order_by().values("slate_id").annotate(n=Count("pk")).values("n")
        rows: QuerySet[Slate] = super().get_queryset(request).annotate(clicks=Coalesce(Subquery(number), 0))
        return rows

    @column("ms", ordering="latency_ms")
    def ms(self, slate: Slate) -> str:
        return f"{slate.latency_ms:.1f}"

    @column("Clicked")
    def n_clicked(self, slate: Any) -> int:
        return int(slate.clicks)

    @column("State", label={"as it should be": "success"})
    def state(self, slate: Slate) -> str:
        return slate.degraded or "as it should be"

    @admin.display(description="history (film, stars), oldest first")
    def history_as_shown(self, slate: Slate) -> str:
        return ", ".join(f"{movie_id}: {stars}" for movie_id, stars in unpack_history(bytes(slate.history)))

    @admin.display(description="kept out")
    def kept_out(self, slate: Slate) -> str:
        return ", ".join(str(movie_id) for movie_id in unpack_ids(bytes(slate.exclusions)))


@admin.register(RecommendationEvent)
class RecommendationEventAdmin(LogAdmin):
    group, icon, rank = "The log", "ads_click", 1
    about = "One row for each film that was shown in a list. What the viewer says of it settles the row."
    empty = "The first list that a visitor with a cookie is shown makes a row for each film."
    list_display = (
        "created_at",
        "movie",
        "position",
        "algorithm",
        "surface",
        "user",
        "settled",
        "propensity",
        "why",
    )
    list_filter = (
        ("created_at", DayRangeFilter),
        ("user", AutocompleteSelectFilter),
        ("movie", AutocompleteSelectFilter),
        known_values("algorithm", ARMS, title="arm"),
        ("outcome", ChoicesDropdownFilter),
        "clicked",
        "explored",
        "is_long_tail",
    )
    list_select_related = ("movie", "user")
    exact = ("pk", "slate")
    named = ("user", "movie")
    search_help_text = ONE_NAME
    raw_id_fields = ("slate", "movie", "user")
    explanations = {
        "algorithm": "The arm that placed the film.",
        "recommendation_score": "On the arm's own scale: compare it within this list only.",
        "experiment_id": f"The experiment on strategies that it was shown under. {NO_EXPERIMENT}",
        "variant": f"The variant of that experiment. {NO_EXPERIMENT}",
        "bandit_context": f"The number of the context that a bandit drew in. {BY_BANDIT}",
        "algorithm_confidence": f"What a bandit expected of the arm in this context. {BY_BANDIT}",
        "propensity": "The probability with which this slot went to this arm; 1 when one arm serves alone."
        " Empty where the drawn arm had nothing and popular films filled in.",
        "weight": "What it counts in the state of a bandit that forgets; 1 for others.",
        "explored": "Whether a bandit drew the arms evenly, to learn about them.",
        "is_long_tail": "Whether the film was in the long tail when it was shown.",
        "is_niche": "Whether it was anime, a documentary or in a foreign language when it was shown.",
        "outcome": "pending until something settles it, then success or failure; ignored when nothing came.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecommendationEvent]:
        rows: QuerySet[RecommendationEvent] = (
            super().get_queryset(request).annotate(shown_on=F("slate__surface"))
        )
        return rows

    @column("Where")
    def surface(self, event: Any) -> str:
        return str(event.shown_on)

    @column("Outcome", ordering="outcome", label={"success": "success", "failure": "danger"})
    def settled(self, event: RecommendationEvent) -> str:
        return event.outcome

    @column("Why")
    def why(self, event: RecommendationEvent) -> str:
        return str(event.reason.get("text", "–"))


@admin.register(Feedback)
class FeedbackAdmin(LogAdmin):
    group, icon, rank = "The log", "forum", 2
    about = "Everything that viewers said, in the order in which it arrived."
    empty = "The first click, rating or thumb of a viewer makes a row."
    list_display = ("received_at", "user", "kind", "movie", "value", "settles")
    list_filter = (
        ("received_at", DayRangeFilter),
        ("user", AutocompleteSelectFilter),
        ("movie", AutocompleteSelectFilter),
        ("kind", ChoicesDropdownFilter),
    )
    list_select_related = ("user", "movie", "event")
    exact = ("pk", "event")
    named = ("user", "movie")
    search_help_text = ONE_NAME
    raw_id_fields = ("event", "movie", "user")
    explanations = {
        "client_id": "The sender's own name for the act: the same one twice is one act.",
        "event": "The shown film that it settles. Empty when that film was not shown to the viewer lately.",
        "occurred_at": "When the viewer did it; it may have been sent later.",
    }

    @column("Settles")
    def settles(self, feedback: Feedback) -> str:
        event = feedback.event
        return f"place {event.position} by {event.algorithm}" if event else "–"


@admin.register(SlateAssignment)
class SlateAssignmentAdmin(LogAdmin):
    group, icon, rank = "The log", "science", 4
    about = f"One row for each experiment that a list was shown under. {NO_EXPERIMENT}"
    empty = "Nothing is served under an experiment."
    list_display = ("slate", "experiment_key", "phase", "variant", "counted")
    list_filter = ("counted",)
    list_select_related = ("slate",)
    exact = ("slate", "experiment_key", "variant")
    search_help_text = "The id of a list, or the exact name of an experiment or a variant"
    explanations = {
        "experiment_key": "The name of the experiment.",
        "phase": "Grows when the shares of the variants change, so that before and after stay apart.",
        "counted": "Whether the list counts for this experiment.",
    }


@admin.register(MovieDay)
class MovieDayAdmin(LogAdmin):
    group, icon, rank = "The log", "calendar_month", 3
    about = "How often a film was shown and clicked in a day of UTC; from the log, every five minutes."
    empty = "Five minutes after the first film was shown its day is counted here."
    list_display = ("day", "movie", "surface", "shown", "clicked", "rate")
    list_filter = (
        ("day", DayRangeFilter),
        ("movie", AutocompleteSelectFilter),
        ("surface", ChoicesDropdownFilter),
    )
    list_select_related = ("movie",)
    named = ("movie",)
    search_help_text = "A film's title"
    ordering = ("-day", "-shown", "-pk")

    @column("Click rate")
    def rate(self, row: MovieDay) -> str:
        return f"{100 * row.clicked / row.shown:.1f} %" if row.shown else "–"


def _days_of(request: HttpRequest, movie: Movie) -> Link | None:
    return list_link(request, MovieDay, "How often it was shown", movie__id__exact=movie.pk)


def _impressions_of(request: HttpRequest, movie: Movie) -> Link | None:
    return list_link(request, RecommendationEvent, "Where it was shown", movie__id__exact=movie.pk)


offer_links(Movie, _days_of, _impressions_of)
