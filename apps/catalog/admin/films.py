"""Films: changed, hidden and shown again."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from apps.accounts.admin.people import actor_of
from apps.catalog.models import Genre, Movie, MovieKeyword, MoviePerson
from apps.catalog.querysets import MovieQuerySet
from apps.catalog.services import create_movie, update_movie
from apps.catalog.votes import VOTE_AVERAGE
from apps.core.admin import AutocompleteSelectFilter, ExplainedAdmin, row_url
from apps.core.admin.asking import MAX_REASON, Act, act_with_reason
from apps.core.admin.columns import column, list_action
from apps.core.admin.links import anchor


class MovieForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Genres beside the columns; the order that the film's genres have is kept."""

    genre_choice = forms.ModelMultipleChoiceField(
        Genre.objects.all(), required=False, label="Genres", widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    reason = forms.CharField(
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Goes into the audit; needed to hide the film or to show it again.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "genre_choice" in self.fields and self.instance.pk:
            self.fields["genre_choice"].initial = list(self.instance.genres.all())

    def chosen_genres(self) -> list[str]:
        held = self.instance.genre_names if self.instance.pk else []
        chosen = [genre.name for genre in self.cleaned_data["genre_choice"]]
        return [name for name in held if name in chosen] + [name for name in chosen if name not in held]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk and "is_available" in self.changed_data:
            if not cleaned.get("reason"):
                self.add_error("reason", "Say why the film is hidden or shown again.")
            if self.instance.merged_into_id is not None:
                self.add_error(
                    "is_available",
                    f"It was merged into film {self.instance.merged_into_id}, so it stays hidden.",
                )
        return cleaned


class _ReadOnlyInline(TabularInline):  # type: ignore[misc] # unfold ships no types
    extra = 0
    can_delete = False
    relation = ""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related(self.relation)
        return rows


class PeopleInline(_ReadOnlyInline):
    model = MoviePerson
    relation = "person"
    fields = ["person", "role", "position"]
    verbose_name_plural = "people"


class KeywordsInline(_ReadOnlyInline):
    model = MovieKeyword
    relation = "keyword"
    fields = ["keyword", "weight"]
    verbose_name_plural = "keywords"


class LackingFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    """Films of which a fact is missing that pages show or arms learn from."""

    title = "what is missing"
    parameter_name = "lacks"
    LACKS = {
        "overview": ("overview", Q(overview="")),
        "genre": ("genres", Q(primary_genre=None)),
        "poster": ("poster", Q(poster_path="")),
        "year": ("year", Q(year=None)),
        "language": ("language", Q(language="")),
        "tmdb": ("TMDB id", Q(tmdb_id=None)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.LACKS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        chosen = self.LACKS.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class ShownFilter(DropdownFilter):  # type: ignore[misc] # unfold ships no types
    title = "whether it is shown"
    parameter_name = "shown"
    KINDS = {
        "yes": ("shown", Q(is_available=True)),
        "no": ("hidden", Q(is_available=False, merged_into=None)),
        "merged": ("merged into another film", Q(merged_into__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Movie]) -> QuerySet[Movie]:
        chosen = self.KINDS.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


@admin.register(Movie)
class MovieAdmin(ExplainedAdmin):
    group, icon, rank = "Catalogue", "movie", 0
    about = "Films are hidden, never deleted: the log names them."
    empty = "Run manage.py load_movielens demo to load some, or add one by hand."
    form = MovieForm
    list_display = [
        "title",
        "year",
        "primary_genre",
        "average",
        "rating_count",
        "state",
        "kind",
        "updated_at",
    ]
    list_filter = [
        ShownFilter,
        LackingFilter,
        "is_long_tail",
        "is_niche",
        ("genres", RelatedDropdownFilter),
        ("people", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["primary_genre"]
    # get_search_results looks at search_title; the names here only say that there is a search.
    search_fields = ["search_title"]
    search_help_text = "Beginnings of words of the titles, and the year"
    ordering = ["-rating_count", "id"]
    show_full_result_count = False
    actions = ["hide", "show"]
    row_actions = {"hide": "Hide this film everywhere", "show": "Show this film again"}
    inlines = [PeopleInline, KeywordsInline]
    readonly_fields = [
        "merged",
        "rating_sum",
        "rating_count",
        "primary_genre",
        "is_long_tail",
        "is_niche",
        "search_title",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["title", "original_title", "year", "genre_choice"]}),
        ("Shown or hidden", {"fields": ["is_available", "reason", "merged"]}),
        ("About", {"fields": ["overview", "language", "runtime", "poster_path"]}),
        ("Elsewhere", {"fields": ["tmdb_id", "imdb_id", "movielens_id"]}),
        ("Votes on TMDB", {"fields": ["tmdb_vote_average", "tmdb_vote_count"]}),
        ("Worked out", {"fields": readonly_fields[1:]}),
    ]
    explanations = {
        "is_available": "Off hides the film everywhere at once.",
        "merged": "The film that this one turned out to be. Its address leads there.",
        "poster_path": "Where TMDB keeps a poster. Pages show a drawn one.",
        "primary_genre": "Its rarest genre in the catalogue. Refreshed each night.",
        "is_long_tail": "Well liked and little known. Refreshed each night.",
        "is_niche": "Anime, documentary or in a foreign language. Refreshed each night.",
        "rating_sum": "Of the standing ratings of this site, in stars.",
        "search_title": "What the search looks at: the titles, brought to one form.",
    }

    @column("Vote average", ordering=VOTE_AVERAGE)
    def average(self, movie: Movie) -> str:
        return "–" if movie.vote_average is None else f"{movie.vote_average:.1f}"

    @column(
        "State",
        ordering="is_available",
        label={"shown": "success", "hidden": "danger", "merged": "warning"},
    )
    def state(self, movie: Movie) -> str:
        if movie.is_available:
            return "shown"
        return "hidden" if movie.merged_into_id is None else "merged"

    @column("Kind")
    def kind(self, movie: Movie) -> str:
        kinds = {"long tail": movie.is_long_tail, "niche": movie.is_niche}
        return ", ".join(name for name, holds in kinds.items() if holds) or "–"

    @column("Merged into")
    def merged(self, movie: Movie) -> str:
        if movie.merged_into is None:
            return "–"
        return anchor(row_url(Movie, movie.merged_into_id), str(movie.merged_into))

    def get_search_results(
        self, request: HttpRequest, queryset: MovieQuerySet, search_term: str
    ) -> tuple[MovieQuerySet, bool]:
        return queryset.search(search_term), False

    def row_actions_of(self, row: Movie) -> Mapping[str, str]:
        if row.merged_into_id is not None:
            return {}
        name = "hide" if row.is_available else "show"
        return {name: self.row_actions[name]}

    def has_delete_permission(self, request: HttpRequest, obj: Movie | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Movie, form: MovieForm, change: bool) -> None:
        own = {"genre_choice", "reason"}
        facts: dict[str, Any] = {
            name: form.cleaned_data[name] for name in form.changed_data if name not in own
        }
        if "genre_choice" in form.changed_data:
            facts["genres"] = form.chosen_genres()
        if change:
            update_movie(movie=obj, by=actor_of(request), reason=form.cleaned_data["reason"], **facts)
        else:
            obj.pk = create_movie(by=actor_of(request), **facts).pk

    @list_action("Hide the selected films everywhere", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Movie]) -> HttpResponse | None:
        run = partial(_set_available, request, is_available=False)
        act = Act("Hide these films everywhere?", "Hide them", "Films hidden", run, undo="show")
        return act_with_reason(self, request, queryset.filter(is_available=True), act)

    @list_action("Show the selected films again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Movie]) -> HttpResponse | None:
        run = partial(_set_available, request, is_available=True)
        act = Act("Show these films again?", "Show them", "Films shown again", run, undo="hide")
        return act_with_reason(self, request, queryset.filter(is_available=False), act)


def _set_available(request: HttpRequest, movie: Movie, reason: str, *, is_available: bool) -> None:
    update_movie(movie=movie, by=actor_of(request), reason=reason, is_available=is_available)
